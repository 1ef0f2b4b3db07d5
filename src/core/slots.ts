import type { EventType } from './catalogue.ts'

/**
 * One family of keys. A key names what an event is about so exactly that the same fact, told again by whoever and in
 * whatever order, gets the same key and is not appended again.
 */
export interface Slot {
  /** How the key begins. */
  readonly family: string
  /** What makes two events the same one. */
  readonly rule: string
  readonly shape: RegExp
  readonly types: readonly EventType[]
}

const SHA = '[0-9a-f]{40}'
const DIGEST = 'sha256:[0-9a-f]{64}'
const AT = String.raw`\d{4}-\d\d-\d\dT[0-9:.]+Z`
const shape = (text: string): RegExp => new RegExp(`^${text}$`, 's')

/** The one table of idempotence: which key an event of each type has. `docs/ledger.md` shows it. */
export const SLOTS: readonly Slot[] = [
  {
    family: 'config',
    rule: 'commit of the configuration and what became of it, with the digest of its text or of its problems; a change of force, a refusal and a check also by its time',
    shape: shape(`config:[^:]+:(refused|accepted|back|checked)(:.+)?`),
    types: ['config.accepted', 'config.refused', 'config.checked'],
  },
  {
    family: 'build',
    rule: 'repository, run, attempt, digest of the whole record, and how it is known',
    shape: shape(String.raw`build:\d+/\d+/\d+/[0-9a-f]{64}:(platform|oidc|claimed|refused)`),
    types: ['build.recorded', 'build.refused'],
  },
  {
    family: 'build-number',
    rule: 'run, attempt and product',
    shape: shape(String.raw`build-number:\d+/\d+:.+`),
    types: ['build-number.handed_out'],
  },
  {
    family: 'build-number-refused',
    rule: 'run, attempt, and digest of the product, of its commit and of what was told',
    shape: shape(String.raw`build-number-refused:\d+/\d+:[0-9a-f]{64}`),
    types: ['build-number.refused'],
  },
  {
    family: 'deployment',
    rule: 'deployment id, status id, status, product and version; a refusal by the deployment id alone',
    shape: shape(String.raw`deployment:\d+:(refused|\d+:[a-z]+:.+@.+)`),
    types: [
      'deployment.pending',
      'deployment.started',
      'deployment.completed',
      'deployment.failed',
      'deployment.aborted',
      'deployment.refused',
    ],
  },
  {
    family: 'job-deployment',
    rule: 'deployment id and status id',
    shape: shape(String.raw`job-deployment:\d+:\d+`),
    types: ['job-deployment.seen'],
  },
  {
    family: 'run',
    rule: 'repository, run and attempt that ended; what that settles by its attempt, version, environment or gate',
    shape: shape(String.raw`run:\d+/\d+/\d+:ended(:.+)?`),
    types: ['run.ended', 'deployment.aborted', 'gate.closed'],
  },
  {
    family: 'command',
    rule: 'repository, comment, number of the command in it, and what it did',
    shape: shape(String.raw`command:\d+/\d+/\d+(:.+)?`),
    types: [
      'command.answered',
      'release.opened',
      'release.version_added',
      'release.version_removed',
      'release.started',
      'release.reopened',
      'release.completed',
      'notes.asked',
      'release.cancelled',
      'release.rolled_back',
      'release.set',
      'release.manager_changed',
      'release.judged',
      'release.held',
      'release.unheld',
      'step.done',
      'step.undone',
      'step.waived',
      'party.delegated',
      'party.undelegated',
      'override.asked',
      'override.confirmed',
      'environment.frozen',
      'environment.unfrozen',
      'freeze.excepted',
      'channel.changed',
      'channel.withdrawn',
      'cohort.override_set',
      'cohort.override_ended',
      'cohort.quarantine_set',
      'cohort.moved',
      'cohort.entry_set',
      'manifest.due',
      'cut.asked',
      'alarm.raised',
      'alarm.cleared',
    ],
  },
  {
    family: 'comment',
    rule: 'repository, comment and what was noted of it',
    shape: shape(String.raw`comment:\d+/\d+:.+`),
    types: ['comment.noted', 'evidence.changed'],
  },
  {
    family: 'proposal',
    rule: 'pull request, head, content, whether it is merged, and when that was seen: a state may come back',
    shape: shape(String.raw`proposal:\d+/\d+:${SHA}:.{1,23}:(true|false)(:.+)?`),
    types: ['proposal.seen'],
  },
  {
    family: 'review',
    rule: 'id of the review',
    shape: shape(String.raw`review:\d+:(submitted|dismissed)`),
    types: ['review.submitted', 'review.dismissed'],
  },
  {
    family: 'signoff',
    rule: 'release and digest of the whole decision with its time: a decision may come back',
    shape: shape(`signoff:r[0-9]+:${DIGEST}(:turned)?`),
    types: ['signoff.decided', 'signoff.completed', 'signoff.lost'],
  },
  {
    family: 'reminded',
    rule: 'release, since when it waits, and number of the reminder',
    shape: shape(String.raw`reminded:r\d+:.+:\d+`),
    types: ['signoff.reminded'],
  },
  {
    family: 'gate',
    rule: 'repository, run, environment and deployment id; a decision also by its number',
    shape: shape(String.raw`gate/\d+/\d+/.+:\d+(:decided:\d+)?`),
    types: ['gate.requested', 'gate.decided', 'gate.closed'],
  },
  {
    family: 'forged, pushed, edited, deleted',
    rule: 'what somebody changed who may not, by the check run, status, commit or branch that shows it, and what follows',
    shape: shape('(?!(?:command|comment|cut|gate|run|deployment|build|brake|due|redaction|epoch):)[a-z-]+:.+'),
    types: ['evidence.changed', 'release.held', 'environment.frozen', 'alarm.raised', 'alarm.cleared'],
  },
  {
    family: 'cut',
    rule: 'comment and number of the command that asked for it',
    shape: shape(String.raw`cut:\d+-\d+:settled`),
    types: ['cut.settled'],
  },
  {
    family: 'channel',
    rule: 'cohort and bundle',
    shape: shape('channel:[^:]+:.+'),
    types: ['channel.released'],
  },
  {
    family: 'brake',
    rule: 'cohort, release, and since when it goes on: a brake halts it once until somebody resumes it',
    shape: shape(`brake:[^:]+:.+:(never|${AT})`),
    types: ['channel.changed'],
  },
  {
    family: 'bundles',
    rule: 'version of the metadata and digest of the signed request',
    shape: shape(String.raw`bundles:\d+:${DIGEST}`),
    types: ['bundles.signed'],
  },
  {
    family: 'manifest',
    rule: 'cohort and digest of the published manifest',
    shape: shape(`manifest:[^:]+:${DIGEST}`),
    types: ['manifest.published'],
  },
  {
    family: 'due',
    rule: 'cohort and digest of the manifest that nears its end',
    shape: shape(`due:[^:]+:${DIGEST}`),
    types: ['manifest.due'],
  },
  {
    family: 'alarm',
    rule: 'condition, whether it began or ended, and when',
    shape: shape(`alarm:[0-9a-f]{64}:(raised|cleared):${AT}`),
    types: ['alarm.raised', 'alarm.cleared'],
  },
  {
    family: 'redaction',
    rule: 'number of the event and the texts that were taken out of it',
    shape: shape(String.raw`redaction:\d+:/.+`),
    types: ['event.redacted'],
  },
  {
    family: 'epoch',
    rule: 'number of the epoch',
    shape: shape(String.raw`epoch:[1-9]\d*`),
    types: ['epoch.opened'],
  },
  {
    family: 'intake',
    rule: 'the instant that was reached',
    shape: shape(`intake:${AT}`),
    types: ['intake.marked'],
  },
  {
    family: 'output',
    rule: 'key of the output, digest of what stands there, the process that wrote it, and which of its writings it is: what stood there may come back',
    shape: shape(String.raw`output:.+:[0-9a-f]{32}(:[0-9a-f]{12}n\d+)?`),
    types: ['output.settled'],
  },
]

/** The slots that events of a type may have, in the order of the table. */
export const slotsOf = (type: string): readonly Slot[] =>
  SLOTS.filter((slot) => (slot.types as readonly string[]).includes(type))

/** Whether an event has a key of its type. */
export const fitsSlot = (event: { readonly type: string; readonly key: string }): boolean =>
  slotsOf(event.type).some((slot) => slot.shape.test(event.key))
