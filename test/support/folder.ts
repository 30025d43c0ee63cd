import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** A folder outside the checkout that every account can enter, removed when the test ends. */
export async function openFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'momentum-test-'))
  await chmod(folder, 0o755)
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}
