import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** A key pair, and a certificate for it that it has signed itself, in DER. */
export interface Certified {
  readonly privateKey: KeyObject
  readonly certificate: Buffer
}

const rsaSha256 = sequence(Buffer.from('06092a864886f70d01010b', 'hex'), Buffer.from('0500', 'hex'))

/** Makes a certificate: Node reads them, but can't write any. @see RFC 5280 section 4.1 */
export function certify(kind: 'rsa' | 'ec', modulusLength = 2048): Certified {
  const { privateKey, publicKey } =
    kind === 'rsa' ? generateKeyPairSync('rsa', { modulusLength }) : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  // Signed by another key where its own can't make RSA signatures: nobody looks.
  const signer = kind === 'rsa' ? privateKey : generateKeyPairSync('rsa', { modulusLength }).privateKey
  const name = sequence(der(0x31, sequence(Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from('Ada')))))
  const validity = sequence(der(0x17, Buffer.from('130404152830Z')), der(0x17, Buffer.from('140404152830Z')))
  const key = publicKey.export({ type: 'spki', format: 'der' })
  const content = sequence(Buffer.from('020101', 'hex'), rsaSha256, name, validity, name, key)
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', content, signer)]))
  return { privateKey, certificate: sequence(content, rsaSha256, signature) }
}

function sequence(...members: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(members))
}

/** One value in DER: its tag, its length and what it holds. */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
