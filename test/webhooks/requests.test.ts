import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { z } from 'zod'
import { Actor, Source } from '../../src/core/event.ts'
import { RepositoryRef } from '../../src/core/product/schema.ts'
import type { Request } from '../../src/core/request.ts'
import { requestsOf, TAKEN_AS_A_WHOLE } from '../../src/webhooks/index.ts'
import {
  allExamples,
  bent,
  buildRecord,
  delivered,
  type Event,
  examplesOf,
  fenced,
  installation,
  numberQuestion,
  PAYLOADS,
  RELEASES_ID,
  SHA,
} from './payloads.ts'

const of = (event: string, payload: unknown) => requestsOf(delivered(event, payload), installation)
type Changes = Readonly<Record<string, unknown>>
const asking = (event: Event, changes: Changes = {}) => of(event, bent(PAYLOADS[event] as object, changes))
const QUESTION = {
  'check_run.name': 'ringmaster/next-build user-service',
  'check_run.output.text': fenced(numberQuestion),
}
const ann = { login: 'ann', id: 42 }
const platform = { id: 78, fullName: 'acme/platform' }
const releases = { id: RELEASES_ID, fullName: 'acme/releases' }

/** What GitHub adds one day must not stop what we read. */
const NEWS = { repository: { custom_properties: {} }, enterprise: { id: 1 }, novelty: [1, { two: '3' }] }

/** Everything that goes with a request into an event must fit the ledger. */
const Sound = z.object({
  at: z.iso.datetime(),
  actor: Actor.nullable(),
  source: Source,
  repository: RepositoryRef.optional(),
})

const unsound = (request: Request): unknown[] => Sound.safeParse(request).error?.issues ?? []

describe('what a delivery asks for', () => {
  it.each<[Event, readonly object[]]>([
    [
      'check_run',
      [
        {
          kind: 'build-reported',
          repository: platform,
          sha: SHA,
          checkRunId: 9,
          url: 'https://github.test/acme/platform/runs/9',
          record: buildRecord,
          trust: 'platform',
          at: '2026-11-20T09:30:00.000Z',
          actor: ann,
          source: {
            kind: 'webhook',
            delivery: '6d1b1de0-0000-4000-8000-000000000000',
            url: 'https://github.test/acme/platform/runs/9',
          },
        },
      ],
    ],
    [
      'issue_comment',
      [
        {
          kind: 'command-given',
          repository: releases,
          issue: { number: 12, title: 'A release', isPull: false, open: true },
          comment: { id: 5 },
          command: { name: 'add', args: 'user-service@1.2.3' },
          index: 0,
          of: 2,
          actor: ann,
          at: '2026-11-20T09:00:00.000Z',
        },
        { kind: 'command-given', command: { name: 'start', args: '' }, index: 1, of: 2 },
      ],
    ],
    ['push', [{ kind: 'configuration-seen', repository: releases, commit: SHA, actor: ann }]],
    [
      'deployment_status',
      [
        {
          kind: 'deployment-reported',
          repository: platform,
          deploymentId: 8,
          environment: 'production',
          sha: SHA,
          status: 'started',
          statusId: 3,
          record: null,
          run: { id: 600, attempt: 2 },
          byActions: true,
          url: 'https://ci.test/log',
          trust: 'platform',
        },
      ],
    ],
    [
      'deployment_protection_rule',
      [
        {
          kind: 'gate-requested',
          repository: platform,
          runId: 600,
          environment: 'production',
          deploymentId: 8,
          sha: SHA,
          ref: 'main',
          installationId: 3,
        },
      ],
    ],
    [
      'pull_request',
      [{ kind: 'proposal-seen', release: 'r12', number: 900, head: SHA, author: 'ringmaster[bot]', merged: false }],
    ],
    [
      'pull_request_review',
      [
        { kind: 'release-review', release: 'r12', actor: ann },
        { kind: 'review-submitted', release: 'r12', reviewId: 70, state: 'APPROVED', actor: { login: 'eve', id: 2 } },
      ],
    ],
    ['workflow_run', [{ kind: 'run-ended', repository: platform, runId: 600 }]],
  ])('%s', (event, expected) => {
    expect(asking(event)).toMatchObject(expected)
    expect(asking(event)).toHaveLength(expected.length)
    const grown = { ...PAYLOADS[event], ...NEWS, repository: { ...PAYLOADS[event].repository, ...NEWS.repository } }
    expect(of(event, grown)).toEqual(asking(event))
  })

  it.each<[string, Event, Changes]>([
    ['a build of a name that is not the record’s', 'check_run', { 'check_run.name': 'ringmaster/build other' }],
    ['a check run of somebody else', 'check_run', { 'check_run.name': 'lint' }],
    ['a question that is no workflow’s', 'check_run', { ...QUESTION, 'check_run.app.slug': 'somebody' }],
    ['a question under another name', 'check_run', { ...QUESTION, 'check_run.name': 'ringmaster/next-build api' }],
    ['a build without its record', 'check_run', { 'check_run.output.text': null }],
    ['a build whose record is no JSON', 'check_run', { 'check_run.output.text': '```json\n{]\n```' }],
    [
      'a build of an unknown schema',
      'check_run',
      {
        'check_run.output.text': fenced({ ...buildRecord, schema: 'ringmaster/build/9' }),
      },
    ],
    [
      'a build record with a field of its own',
      'check_run',
      {
        'check_run.output.text': fenced({ ...buildRecord, trust: 'platform' }),
      },
    ],
    ['a build at no commit', 'check_run', { 'check_run.head_sha': 'main' }],
    ['a comment in another repository', 'issue_comment', { 'repository.id': 78 }],
    ['a comment that was edited', 'issue_comment', { action: 'edited' }],
    ['a deleted comment without a command', 'issue_comment', { action: 'deleted', 'comment.body': 'Never mind.' }],
    ['a bot’s comment', 'issue_comment', { 'comment.user.type': 'Bot' }],
    ['our own comment, whatever type it has', 'issue_comment', { 'comment.user.login': 'ringmaster[bot]' }],
    ['a deleted account’s comment', 'issue_comment', { 'comment.user': null }],
    ['a comment without commands', 'issue_comment', { 'comment.body': 'Looks good, see a/b and /tmp.' }],
    ['a comment without a body', 'issue_comment', { 'comment.body': null }],
    ['a command in a quotation', 'issue_comment', { 'comment.body': '> /start' }],
    ['a push to another branch', 'push', { ref: 'refs/heads/side' }],
    ['a push to a tag of that name', 'push', { ref: 'refs/tags/main' }],
    ['our push to our data branch', 'push', { ref: 'refs/heads/ringmaster-data', 'sender.login': 'ringmaster[bot]' }],
    ['a push to another repository', 'push', { 'repository.id': 78 }],
    ['a deletion of the default branch', 'push', { deleted: true }],
    ['a push where no default branch is told', 'push', { 'repository.default_branch': undefined }],
    ['a deployment to our pages', 'deployment_status', { 'deployment.environment': 'github-pages' }],
    ['our own deployment', 'deployment_status', { 'deployment.creator.login': 'ringmaster[bot]' }],
    ['a state that is new', 'deployment_status', { 'deployment_status.state': 'levitating' }],
    ['a deployment that another took the place of', 'deployment_status', { 'deployment_status.state': 'inactive' }],
    [
      'a deployment of a name that hides what it says',
      'deployment_status',
      { 'deployment.environment': 'prod\u202euction' },
    ],
    ['a deployment of an endless name', 'deployment_status', { 'deployment.environment': 'x'.repeat(300) }],
    ['the Action’s task without its record', 'deployment_status', { 'deployment.task': 'ringmaster' }],
    [
      'the Action’s task with a record that is none',
      'deployment_status',
      {
        'deployment.task': 'ringmaster',
        'deployment.payload': '{"schema":',
      },
    ],
    ['a gate of another action', 'deployment_protection_rule', { action: 'withdrawn' }],
    [
      'a gate that calls back to another repository',
      'deployment_protection_rule',
      {
        deployment_callback_url:
          'https://api.github.com/repos/mallory/platform/actions/runs/600/deployment_protection_rule',
      },
    ],
    [
      'a gate without a run',
      'deployment_protection_rule',
      {
        deployment_callback_url: 'https://api.github.com/repos/acme/platform/actions/runs/0/deployment_protection_rule',
      },
    ],
    ['a gate without a callback', 'deployment_protection_rule', { deployment_callback_url: undefined }],
    ['a gate without a deployment', 'deployment_protection_rule', { deployment: undefined }],
    ['a proposal from a fork', 'pull_request', { 'pull_request.head.repo.id': 999 }],
    ['a proposal from a fork that is gone', 'pull_request', { 'pull_request.head.repo': null }],
    ['a proposal into another base', 'pull_request', { 'pull_request.base.ref': 'side' }],
    ['a proposal in another repository', 'pull_request', { 'repository.id': 78 }],
    ['a branch that begins like ours', 'pull_request', { 'pull_request.head.ref': 'ringmaster/proposal-r12/../r13' }],
    ['a branch that ends like ours', 'pull_request', { 'pull_request.head.ref': 'x/ringmaster/proposal-r12' }],
    ['a branch of two lines', 'pull_request', { 'pull_request.head.ref': 'ringmaster/proposal-r12\n' }],
    ['a branch of no release', 'pull_request', { 'pull_request.head.ref': 'ringmaster/proposal-r012' }],
    ['a review in another repository', 'pull_request_review', { 'repository.id': 78 }],
    ['a review of another pull request', 'pull_request_review', { 'pull_request.head.ref': 'feature' }],
    ['a run that began', 'workflow_run', { action: 'requested' }],
    ['a delivery without its repository', 'workflow_run', { repository: undefined }],
  ])('nothing: %s', (_, event, changes) => {
    expect(asking(event)).not.toEqual([])
    expect(asking(event, changes)).toEqual([])
  })

  it.each<[string, Event, Changes, object]>([
    [
      'a question for a build number',
      'check_run',
      QUESTION,
      {
        kind: 'build-number-asked',
        product: 'user-service',
        run: { id: 500, attempt: 1 },
        wanted: '1.3.0',
        askedAt: { repository: platform, sha: SHA },
        actor: ann,
      },
    ],
    [
      'a build left by another App is only claimed',
      'check_run',
      { 'check_run.app.slug': 'somebody' },
      { trust: 'claimed' },
    ],
    ['a build left by nobody is only claimed', 'check_run', { 'check_run.app': null }, { trust: 'claimed' }],
    [
      'a build that runs has the time it began',
      'check_run',
      { 'check_run.completed_at': null },
      { at: '2026-11-20T09:00:00.000Z' },
    ],
    [
      'a time that is none gives way to the arrival',
      'check_run',
      { 'check_run.completed_at': 'soon' },
      { at: '2026-11-20T10:00:00.000Z' },
    ],
    [
      'a time far away gives way to the arrival',
      'check_run',
      { 'check_run.completed_at': '+012345-01-01T00:00:00Z' },
      { at: '2026-11-20T10:00:00.000Z' },
    ],
    ['a command on a proposal', 'issue_comment', { 'issue.pull_request': { url: 'x' } }, { issue: { isPull: true } }],
    ['a command on a closed issue', 'issue_comment', { 'issue.state': 'closed' }, { issue: { open: false } }],
    [
      'a command by somebody other than the sender is the author’s',
      'issue_comment',
      { 'sender.login': 'olga' },
      { actor: ann },
    ],
    [
      'a deployment by another tool is only claimed',
      'deployment_status',
      { 'deployment.performed_via_github_app': null },
      { byActions: false, trust: 'claimed' },
    ],
    ['a deployment without a run', 'deployment_status', { workflow_run: null }, { run: null }],
    [
      'a deployment of an old server, without attempts',
      'deployment_status',
      { 'workflow_run.run_attempt': undefined },
      { run: { id: 600, attempt: 1 } },
    ],
    ['a deployment without a payload', 'deployment_status', { 'deployment.payload': undefined }, { record: null }],
    [
      'a job that waits at its gate',
      'deployment_status',
      { 'deployment_status.state': 'waiting' },
      { status: 'pending' },
    ],
    ['the error of another tool', 'deployment_status', { 'deployment_status.state': 'error' }, { status: 'failed' }],
    [
      'a target where there is no log',
      'deployment_status',
      { 'deployment_status.log_url': null, 'deployment_status.target_url': 'https://cd.test' },
      { url: 'https://cd.test' },
    ],
    [
      'a gate of a repository whose name is written otherwise',
      'deployment_protection_rule',
      { 'repository.full_name': 'Acme/Platform' },
      { runId: 600 },
    ],
    [
      'a gate of a server of the company',
      'deployment_protection_rule',
      {
        deployment_callback_url:
          'https://ghes.test/api/v3/repos/acme/platform/actions/runs/601/deployment_protection_rule',
      },
      { runId: 601 },
    ],
    [
      'a merged proposal',
      'pull_request',
      { action: 'closed', 'pull_request.merged_at': '2026-11-20T09:00:00Z' },
      { merged: true },
    ],
    ['a proposal by a deleted account', 'pull_request', { 'pull_request.user': null }, { author: 'ghost' }],
    ['a delivery without a sender', 'workflow_run', { sender: null }, { actor: null }],
  ])('%s', (_, event, changes, expected) => {
    expect(asking(event, changes)[0]).toMatchObject(expected)
  })

  it('is the Action’s record where the deployment carries one, as an object or as its text', () => {
    const record = {
      schema: 'ringmaster/deployment/1',
      product: 'user-service',
      version: '1.2.3',
      run: { id: 601, attempt: 3, job: 'deploy' },
    }
    for (const payload of [record, JSON.stringify(record)]) {
      const changes = {
        'deployment.task': 'ringmaster',
        'deployment.payload': payload,
        'deployment_status.state': 'error',
      }
      expect(asking('deployment_status', changes)).toMatchObject([{ record, run: record.run, status: 'aborted' }])
    }
  })

  it('takes a record of another task for no record: payloads of other tools are theirs', () => {
    const changes = { 'deployment.payload': { schema: 'ringmaster/deployment/1', product: 'x' } }
    expect(asking('deployment_status', changes)).toMatchObject([{ record: null }])
  })

  it.each([
    ['a comment', { 'review.state': 'commented' }],
    ['one that a sweep finds dismissed', { 'review.state': 'DISMISSED' }],
    ['one that was edited', { action: 'edited' }],
    ['a state that is no text of GitHub', { 'review.state': 'constructor' }],
  ])('takes no opinion from %s', (_, changes) => {
    expect(asking('pull_request_review', changes)).toMatchObject([{ kind: 'release-review' }])
  })

  it('takes the opinion of a review that a sweep lists', () => {
    expect(asking('pull_request_review', { 'review.state': 'CHANGES_REQUESTED' })[1]).toMatchObject({
      kind: 'review-submitted',
      state: 'CHANGES_REQUESTED',
    })
  })

  it.each(['edited', 'dismissed', 'resubmitted'])('decides the signatures again when a review is %s', (action) => {
    expect(asking('pull_request_review', { action })).toContainEqual(
      expect.objectContaining({ kind: 'release-review', release: 'r12' }),
    )
  })

  it.each(['schedule', 'release', 'merge_group', 'repository_dispatch', 'issue_comment', 'an event of tomorrow'])(
    'is a gate of a job whatever its run was started by: %s',
    (event) => {
      expect(asking('deployment_protection_rule', { event, pull_requests: [] })).toMatchObject([
        { kind: 'gate-requested', runId: 600, environment: 'production' },
      ])
    },
  )

  it('tells who dismissed a review, and decides the signatures again', () => {
    expect(asking('pull_request_review', { action: 'dismissed' })).toMatchObject([
      { kind: 'review-dismissed', release: 'r12', reviewId: 70, by: 'ann', author: 'eve', actor: ann },
      { kind: 'release-review', release: 'r12' },
    ])
    expect(asking('pull_request_review', { action: 'dismissed', 'review.user': null })[0]).toMatchObject({
      author: 'ghost',
    })
  })

  it('takes twenty commands of a comment, and says of more that none of them is carried out', () => {
    const asked = (count: number) => asking('issue_comment', { 'comment.body': '/help\n\n'.repeat(count) })
    expect(asked(20)).toHaveLength(20)
    expect(asked(20).at(-1)).toMatchObject({ kind: 'command-given', index: 19, of: 20 })
    expect(asked(21)).toMatchObject([
      {
        kind: 'comment-noted',
        note: 'unreadable',
        message: expect.stringMatching(/^expected at most 20 .* found 21\./),
      },
    ])
  })

  it.each(['__proto__', '../../x', 'a/b', '`@ann`', 'constructor'])('takes the product %j as data', (product) => {
    const changes = {
      'check_run.name': `ringmaster/build ${product}`,
      'check_run.output.text': fenced({ ...buildRecord, product }),
    }
    expect(asking('check_run', changes)).toMatchObject([{ record: { product } }])
  })

  it('hands signed bundles over exactly as they stand, from the release repository alone', () => {
    const signed = {
      version: 4,
      targets: { 'a.json': { custom: { id: 'bundle-1' } }, 'b.json': { custom: { id: 'bundle-2' } } },
    }
    const request = {
      schema: 'ringmaster/signing-request/1',
      role: 'bundles-main',
      authorities: [{ by: 'targets', publicKeys: ['d'.repeat(64)], threshold: 1 }],
      metadata: { signed, signatures: [] },
      documents: [],
    }
    const told = (changes: Changes = {}, text = fenced(request)) =>
      asking('check_run', {
        'repository.id': RELEASES_ID,
        'check_run.name': 'ringmaster/bundles',
        'check_run.output.text': text,
        ...changes,
      })
    expect(told()).toMatchObject([
      {
        kind: 'bundles-signed',
        document: JSON.stringify(request),
        version: 4,
        bundles: ['bundle-1', 'bundle-2'],
        isVerified: false,
      },
    ])
    expect(told({ 'repository.id': 78 })).toEqual([])
    expect(told({}, fenced({ ...request, schema: 'other' }))).toEqual([])
    expect(told({}, fenced({ ...request, metadata: { signed: { ...signed, version: 0 } } }))).toEqual([])
    expect(told({}, 'no fence')).toEqual([])
  })
})

describe('GitHub’s own examples', () => {
  it('are understood or left alone, all of them', () => {
    expect(allExamples.length).toBeGreaterThan(300)
    for (const { event, payload } of allExamples) {
      const { id = RELEASES_ID } = (payload['repository'] ?? {}) as { id?: number }
      const found = requestsOf(delivered(event, payload), { ...installation, releaseRepositoryId: id })
      expect(found.flatMap(unsound)).toEqual([])
    }
  })

  it.each<[string, (payload: Readonly<Record<string, unknown>>) => boolean, string]>([
    ['workflow_run', (payload) => payload['action'] === 'completed', 'run-ended'],
    ['deployment_status', (payload) => !JSON.stringify(payload).includes('github-pages'), 'deployment-reported'],
  ])('%s says what it says', (event, fits, kind) => {
    const examples = examplesOf(event).filter(fits)
    expect(examples.length).toBeGreaterThan(0)
    for (const payload of examples) expect(of(event, payload)).toMatchObject([{ kind }])
  })

  it('give their comments’ commands and proposals when they are ours', () => {
    const [comment] = examplesOf('issue_comment').filter((payload) => payload['action'] === 'created')
    const [pull] = examplesOf('pull_request')
    const [review] = examplesOf('pull_request_review')
    const ours = { 'repository.id': RELEASES_ID }
    const proposal = {
      ...ours,
      'pull_request.head.ref': 'ringmaster/proposal-r2',
      'pull_request.head.repo.id': RELEASES_ID,
      'pull_request.base.ref': 'ringmaster-releases',
    }
    expect(of('issue_comment', bent(comment, { ...ours, 'comment.body': '/status' }))).toMatchObject([
      { kind: 'command-given', command: { name: 'status' } },
    ])
    expect(of('pull_request', bent(pull, proposal))).toMatchObject([{ kind: 'proposal-seen', release: 'r2' }])
    expect(of('pull_request_review', bent(review, proposal))).toMatchObject([{ kind: 'release-review' }])
  })
})

describe('any payload', () => {
  const events = Object.keys(PAYLOADS) as Event[]

  it('never throws, and asks only for what fits the ledger', () => {
    fc.assert(
      fc.property(fc.constantFrom(...events, 'installation', '__proto__'), fc.jsonValue(), (event, payload) => {
        expect(of(event, payload)).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  it('never throws when one of its parts is anything, and asks only for what fits the ledger', () => {
    const paths = (value: unknown, at: string): string[] =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries(value).flatMap(([name, member]) => {
            const path = at === '' ? name : `${at}.${name}`
            return [path, ...paths(member, path)]
          })
        : []
    const anything = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(-1, 0, 1.5, 2 ** 53, 1e308, '', 'x'.repeat(300), '+275760-01-01T00:00:00Z', '```json\n{}\n```'),
    )
    const place = fc.constantFrom(
      ...events.flatMap((event) => paths(PAYLOADS[event], '').map((path) => ({ event, path }))),
    )
    fc.assert(
      fc.property(place, anything, fc.string({ maxLength: 200 }), ({ event, path }, value, id) => {
        const delivery = delivered(event, bent(PAYLOADS[event] as object, { [path]: value }))
        const requests = requestsOf({ ...delivery, id }, installation)
        expect(requests.flatMap(unsound)).toEqual([])
        if (TAKEN_AS_A_WHOLE.has(event)) expect(requests.length).toBeLessThanOrEqual(1)
      }),
      { numRuns: 3_000 },
    )
  })
})
