import { ulid } from 'ulid'
import { model } from '../core/model.ts'
import { quoted } from '../core/problem.ts'
import { redactEvent } from '../ledger/redact.ts'
import { isLogin } from '../render/text.ts'
import { VERSION } from '../version.ts'
import { type CliCommand, needed, optionsOf, usageError } from './command.ts'
import { storeToRead, storeToWrite } from './ledger-store.ts'

export const ledgerRedact: CliCommand = {
  name: 'ledger redact',
  usage:
    'ringmaster ledger redact --repo DIR|OWNER/NAME --event SEQ --reason TEXT --by LOGIN [--member POINTER]… [--branch NAME] [--author "NAME <EMAIL>"] [--yes]   (only says what it would do without --yes; OWNER/NAME reads with GITHUB_TOKEN, and commits as the App, with the variables of the server)',
  summary: 'Take texts of one event out of the log; the chain and every digest stay.',
  async run(args, io) {
    const values = optionsOf(ledgerRedact, args, {
      repo: { type: 'string' },
      branch: { type: 'string' },
      event: { type: 'string' },
      member: { type: 'string', multiple: true },
      reason: { type: 'string' },
      by: { type: 'string' },
      author: { type: 'string' },
      yes: { type: 'boolean' },
    })
    const event = needed(values.event, 'event', ledgerRedact)
    if (!/^[1-9][0-9]{0,14}$/.test(event))
      throw usageError(`expected the number of an event for --event, found ${quoted(event)}`, ledgerRedact)
    const by = needed(values.by, 'by', ledgerRedact).replace(/^@/, '')
    if (!isLogin(by)) throw usageError(`expected a login for --by, found ${quoted(by)}`, ledgerRedact)
    const redaction = {
      seq: Number(event),
      reason: needed(values.reason, 'reason', ledgerRedact),
      by,
      ...(values.member === undefined ? {} : { members: values.member }),
    }
    const choice = { repo: needed(values.repo, 'repo', ledgerRedact), branch: values.branch }
    const { store, writer } = values.yes
      ? await storeToWrite(choice, values.author, io)
      : { store: await storeToRead(choice, io), writer: { version: VERSION } }
    const redacted = await redactEvent(store, model, redaction, {
      now: io.now,
      newId: values.yes ? () => ulid() : null,
      writer,
    })
    if (io.json) {
      io.out(JSON.stringify(redacted))
      return 0
    }
    const { commit, type, members, copies } = redacted
    const what = `${members.join(', ')} of event ${event} (${type})`
    io.out(
      commit === null
        ? `Would take out ${what}. Nothing was written: repeat with --yes.`
        : `Took out ${what} in commit ${commit}.`,
    )
    for (const copy of copies) io.out(`The same text still stands in ${copy.members.join(', ')} of event ${copy.seq}.`)
    if (commit !== null)
      io.out('The history of the branch holds the old file until its commits are gone: docs/ledger.md.')
    return 0
  },
}
