// Fails when the working tree differs from what is committed: generated files and dist/ have to be up to date.
import { execFileSync } from 'node:child_process'

const status = execFileSync('git', ['status', '--porcelain'], { encoding: 'utf8' })
if (status !== '') {
  process.stderr.write(`expected a clean tree after building everything, found:\n${status}`)
  process.stderr.write(execFileSync('git', ['diff', '--stat', '--', ':!dist'], { encoding: 'utf8' }))
  process.exit(1)
}
