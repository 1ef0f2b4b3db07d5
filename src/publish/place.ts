import { accepted, type Checked, type Problem, quoted, rejected } from '../core/problem.ts'
import { directoryPublication } from './directory.ts'
import type { Publication } from './publication.ts'
import { s3Publication } from './s3.ts'
import type { S3Credentials } from './s3-signature.ts'

export interface DirectoryPlace {
  readonly kind: 'directory'
  readonly directory: string
}

export interface BucketPlace {
  readonly kind: 's3'
  readonly bucket: string
  /** Empty, or ending in a slash. */
  readonly prefix: string
  readonly endpoint: string
  readonly region: string
  readonly credentials: S3Credentials
}

/** Where manifests are published to, other than a branch. */
export type Place = DirectoryPlace | BucketPlace

type Variables = Readonly<Record<string, string | undefined>>

const BUCKET_ADDRESS = 's3://'
const BUCKET = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([^?#]*))?$/
const NEEDED = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION'] as const

export const isBucketAddress = (text: string): boolean => text.startsWith(BUCKET_ADDRESS)

/**
 * `s3://BUCKET/PREFIX`, whose credentials, region and endpoint stand in the variables that other clients of S3 read too;
 * any other text is the path of a directory.
 */
export function readPlace(text: string, env: Variables): Checked<Place, 'setting-missing' | 'setting-invalid'> {
  if (!isBucketAddress(text)) return accepted({ kind: 'directory', directory: text })
  const given = (name: string): string => env[name]?.trim() ?? ''
  const [, bucket = '', path = ''] = BUCKET.exec(text) ?? []
  const problems: Problem<'setting-missing' | 'setting-invalid'>[] = NEEDED.filter((name) => given(name) === '').map(
    (name) => ({
      code: 'setting-missing',
      message: `expected ${name}, which the bucket of ${quoted(text)} is written with, found nothing`,
      hint: 'Set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, with AWS_ENDPOINT_URL for a store other than Amazon’s.',
    }),
  )
  if (bucket === '') {
    problems.push({
      code: 'setting-invalid',
      message: `expected s3://BUCKET/PREFIX, found ${quoted(text)}`,
      hint: 'Names of buckets have 3 to 63 small letters, digits, dots and hyphens; the prefix may be left out.',
    })
  }
  const endpoint = given('AWS_ENDPOINT_URL') || `https://s3.${given('AWS_REGION')}.amazonaws.com`
  if (!/^https?:\/\/[^/?#]+\/?$/.test(endpoint)) {
    problems.push({
      code: 'setting-invalid',
      message: 'expected an http or https address without a path in AWS_ENDPOINT_URL, found something else',
      hint: 'Such as https://s3.example; the bucket follows in the path.',
    })
  }
  if (problems.length > 0) return rejected(...problems)
  return accepted({
    kind: 's3',
    bucket,
    prefix: path === '' || path.endsWith('/') ? path : `${path}/`,
    endpoint,
    region: given('AWS_REGION'),
    credentials: {
      accessKeyId: given('AWS_ACCESS_KEY_ID'),
      secretAccessKey: given('AWS_SECRET_ACCESS_KEY'),
      sessionToken: given('AWS_SESSION_TOKEN') || undefined,
    },
  })
}

export const publicationAt = (place: Place, clock: () => string): Publication =>
  place.kind === 'directory' ? directoryPublication(place.directory) : s3Publication({ ...place, clock })
