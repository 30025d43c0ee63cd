import { verify, X509Certificate } from 'node:crypto'
import { promisify } from 'node:util'
import { LrsError } from '../../errors.js'
import { attachmentsOf } from '../../xapi/attachments.js'
import type { PreparedStatement } from '../../xapi/prepare.js'
import { checkSignatureType, checkSigned, type Jws, parseJws, type SignatureFault } from '../../xapi/signature.js'
import { SIGNATURE } from '../../xapi/statement.js'
import { ruleName, rulesOf, type XapiVersion } from '../../xapi/version.js'

/** What signatures are checked with. */
export interface SignatureContext {
  readonly version: XapiVersion
  readonly maxJsonDepth: number
  /** Reads the data of an attachment by its hash, as text; null when the request does not have them. */
  readonly read: (sha2: string) => Promise<string | null>
}

/**
 * Verifies the signatures of the statements: each is a well-formed JWS over its statement, and holds against the
 * certificate that it brings along. One without a certificate is taken unverified, for its key is not known here.
 *
 * A signature within a SubStatement is an attachment like others: the SubStatement was not stated by itself.
 *
 * @throws {LrsError} `invalid-statement` with index, pointer and rule.
 * @see xAPI 1.0.3 Data 2.6
 */
export async function verifySignatures(
  statements: readonly PreparedStatement[],
  context: SignatureContext
): Promise<void> {
  for (const [index, { value, text }] of statements.entries()) {
    for (const { attachment, sha2, pointer } of attachmentsOf(value)) {
      if (attachment.usageType !== SIGNATURE || pointer.startsWith('/object')) continue
      const fault =
        checkSignatureType(attachment) ?? (await checkSignature(await context.read(sha2), text, context.maxJsonDepth))
      if (fault === null) continue
      const rule = ruleName(rulesOf(context.version), 'signature', fault.name)
      throw new LrsError('invalid-statement', `Statement ${index}: ${fault.message}`, { index, pointer, rule })
    }
  }
}

async function checkSignature(
  data: string | null,
  statement: string,
  maxJsonDepth: number
): Promise<SignatureFault | null> {
  if (data === null) {
    return { name: 'data', message: 'A signature must come as a part of a multipart/mixed request, not by a fileUrl' }
  }
  const jws = parseJws(data, maxJsonDepth)
  if ('message' in jws) return jws
  return checkSigned(jws, statement) ?? (await verifyJws(jws))
}

const hashes = { RS256: 'sha256', RS384: 'sha384', RS512: 'sha512' } as const

const verifyInPool = promisify(verify)

/** Only the first certificate is the signer's; whether it is to be trusted is not for the LRS to say. */
async function verifyJws({ algorithm, certificates, signed, signature }: Jws): Promise<SignatureFault | null> {
  if (certificates === null) return null
  const keys = certificates.map(readKey)
  const [key] = keys
  if (!key || keys.includes(null) || key.asymmetricKeyType !== 'rsa') {
    return { name: 'x5c', message: 'x5c must hold X.509 certificates, the first of them with an RSA key' }
  }
  return (await verifyInPool(hashes[algorithm], Buffer.from(signed), key, signature))
    ? null
    : { name: 'verified', message: 'The signature does not hold against the certificate in its header' }
}

function readKey(base64: string) {
  try {
    return new X509Certificate(Buffer.from(base64, 'base64')).publicKey
  } catch {
    return null
  }
}
