import t from 'tap'
import { explain, failure, hasCode, ignoring } from '../../src/database/embedded-failure.js'
import { LrsError } from '../../src/errors.js'

const context = { attempt: 'It could not be started', dataDir: '/data' }

t.test('every known cause is told with what to do about it', async t => {
  const known: readonly (readonly [string, RegExp])[] = [
    ['could not write to file: No space left on device', /The disk is full: free some space for \/data/],
    ['database files are incompatible with server', /made by another version .* pg_dump, or set DATABASE_URL/],
    ['lock file "postmaster.pid" already exists', /in use by another running Momentum LRS/],
    ['pre-existing shared memory block (key 1, ID 2) is still in use', /Processes of an earlier server still work/],
    ['could not bind Unix address "/tmp/x": Address already in use', /port or socket is taken .* TMPDIR/],
    ['could not create shared memory segment: Cannot allocate memory', /too little \(shared\) memory.*--shm-size/],
    ['data directory "/data" has wrong ownership', /belongs to another user: start as that user/],
    ['could not look up effective user ID 4711', /no line in \/etc\/passwd/],
    ['error while loading shared libraries: libm.so', /can't run on this system .*: set DATABASE_URL/],
    ['EROFS: read-only file system, mkdir', /can't be written: choose another DATA_DIR/],
    ['ENOTDIR: not a directory, mkdir', /is not a directory: choose/],
    ['spawn setuid: Operation not permitted', /A permission is missing: let this user write \/data/],
    ['something else', /See the log in \/data\/postgres, or set DATABASE_URL/]
  ]
  for (const [text, remedy] of known) {
    const fromOutput = explain(new Error('it ended'), { ...context, output: `LOG:  starting\nFATAL:  ${text}\n` })
    t.equal(fromOutput.code, 'embedded-server-failed')
    t.match(fromOutput.message, remedy, text)
    t.match(fromOutput.message, /^It could not be started: it ended\. .*\nIts last lines:\n {2}LOG: {2}starting\n/)
    t.match(explain(new Error(text), context).message, remedy, `${text}, as an error`)
  }
})

t.test('an error that is explained already stays itself, others become its cause', async t => {
  const explained = failure('because')
  t.equal(explain(explained, context), explained)
  t.equal(explained.cause, undefined)
  const cause = new Error('deep')
  t.equal(explain(cause, context).cause, cause)
  t.match(explain('thrown text', context), { message: /thrown text/ })
  t.ok(explained instanceof LrsError)
})

t.test("an operating system's code is recognised", async t => {
  t.equal(hasCode(Object.assign(new Error('x'), { code: 'ENOENT' }), 'EACCES', 'ENOENT'), true)
  t.equal(hasCode(new Error('x'), 'ENOENT'), false)
  t.equal(hasCode('ENOENT', 'ENOENT'), false)
  t.equal(ignoring('ENOENT')(Object.assign(new Error('x'), { code: 'ENOENT' })), null)
  t.throws(() => ignoring('ENOENT')(new Error('x')), { message: 'x' })
})
