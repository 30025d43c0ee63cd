import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { startTestServer } from './server.js'

// Starts one server for the whole run, makes the template, runs tap with this command's arguments, and stops the
// server whatever happened, with tap's exit code as its own.

let tap: ReturnType<typeof spawn> | null = null
let interrupted = false

// A terminal's Ctrl-C reaches tap by itself; after it has ended the server is stopped below.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupted = true
    tap?.kill('SIGTERM')
  })
}

const server = await startTestServer(process.env.TEST_DATABASE_URL ?? null)
try {
  if (!interrupted) {
    const command = createRequire(import.meta.url)
      .resolve('tap/package.json')
      .replace('package.json', 'dist/esm/run.mjs')
    tap = spawn(process.execPath, [command, ...process.argv.slice(2)], {
      stdio: 'inherit',
      env: { ...process.env, TEST_SERVER: JSON.stringify(server.address) }
    })
    const [code] = await once(tap, 'exit')
    process.exitCode = code ?? 1
  }
} finally {
  await server.stop()
}
if (interrupted) process.exitCode = 130
