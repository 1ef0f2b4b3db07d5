import { createHash, createHmac } from 'node:crypto'

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of temporary credentials, such as a workflow gets for its OIDC token. */
  readonly sessionToken?: string | undefined
}

export interface S3Request {
  readonly method: 'GET' | 'PUT'
  readonly url: URL
  /** Lower-case names; all of them are signed, beside `host` and the members that signing adds. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Uint8Array
  readonly region: string
  /** ISO 8601 UTC. */
  readonly now: string
}

const sha256Hex = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const hmac = (key: string | Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/**
 * The headers to send, `authorization` among them: AWS Signature Version 4 in one chunk
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html). The path of the URL must be encoded
 * by `encodeKey`, and have no query.
 */
export function signedHeaders(request: S3Request, credentials: S3Credentials): Map<string, string> {
  const stamp = `${request.now.slice(0, 19).replaceAll(/[-:]/g, '')}Z`
  const scope = `${stamp.slice(0, 8)}/${request.region}/s3/aws4_request`
  const bodyDigest = sha256Hex(request.body)
  const sent = new Map([...request.headers, ['x-amz-content-sha256', bodyDigest], ['x-amz-date', stamp]])
  if (credentials.sessionToken !== undefined) sent.set('x-amz-security-token', credentials.sessionToken)
  const signed = [...sent, ['host', request.url.host] as const].sort(([a], [b]) => (a < b ? -1 : 1))
  const names = signed.map(([name]) => name).join(';')
  const lines = signed.map(([name, value]) => `${name}:${value.trim().replaceAll(/ +/g, ' ')}\n`).join('')
  const canonical = [request.method, request.url.pathname, '', lines, names, bodyDigest].join('\n')
  const text = ['AWS4-HMAC-SHA256', stamp, scope, sha256Hex(canonical)].join('\n')
  const key = [stamp.slice(0, 8), request.region, 's3', 'aws4_request'].reduce<string | Buffer>(
    hmac,
    `AWS4${credentials.secretAccessKey}`,
  )
  const signature = hmac(key, text).toString('hex')
  const credential = `${credentials.accessKeyId}/${scope}`
  sent.set('authorization', `AWS4-HMAC-SHA256 Credential=${credential},SignedHeaders=${names},Signature=${signature}`)
  return sent
}

/** A key as the path of an address, each part encoded as S3 does: all but letters, digits and `-._~`. */
export const encodeKey = (key: string): string =>
  key
    .split('/')
    .map((part) =>
      encodeURIComponent(part).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`),
    )
    .join('/')
