// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of GitHub Actions, not of TypeScript
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type ActionSource, type RunnerOptions, runSteps, type Step } from './runner.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'runner-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const options = (more: Partial<RunnerOptions> = {}): RunnerOptions => ({
  workspace: join(root, 'workspace'),
  temp: join(root, 'temp'),
  github: { token: 'ghs_secret', repository: 'acme/app', sha: 'a'.repeat(40), run_id: '7', event: { number: 4 } },
  ...more,
})

const action = (name: string, yaml: string): ActionSource => {
  const directory = join(root, 'actions', name)
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'action.yml'), yaml)
  return { directory }
}
const bash = (run: string, more: Partial<Step> = {}): Step => ({ run, shell: 'bash', ...more }) as Step

describe('steps of a job', () => {
  it('hand on outputs, variables and paths', async () => {
    const report = await runSteps(
      [
        bash(
          [
            'echo "one=1" >> "$GITHUB_OUTPUT"',
            'printf "many<<EOF\\na\\nb=c\\nEOF\\n" >> "$GITHUB_OUTPUT"',
            'echo "NAME=world" >> "$GITHUB_ENV"',
            'mkdir -p "$RUNNER_TEMP/bin" && printf "#!/bin/sh\\necho tool of \\"\\$1\\"" > "$RUNNER_TEMP/bin/tool"',
            'chmod +x "$RUNNER_TEMP/bin/tool" && echo "$RUNNER_TEMP/bin" >> "$GITHUB_PATH"',
            'echo "# Summary" >> "$GITHUB_STEP_SUMMARY"',
          ].join('\n'),
          { id: 'first' },
        ),
        bash(
          'echo "hello $NAME ${{ steps.first.outputs.one }} ${{ env.NAME }}"; tool "${{ steps.first.outputs.many }}"',
        ),
      ],
      options(),
    )
    expect(report.log).toBe('hello world 1 world\ntool of a\nb=c')
    expect(report.summary).toBe('# Summary\n')
    expect(report.conclusion).toBe('success')
  })

  it('see the run in GITHUB_ variables, its token only through the context, and nothing of this machine', async () => {
    process.env['SANDBOX_LEAK'] = 'leak'
    const report = await runSteps(
      [
        bash('echo "$GITHUB_REPOSITORY $GITHUB_RUN_ID [$GITHUB_TOKEN] [$SANDBOX_LEAK]"; cat "$GITHUB_EVENT_PATH"'),
        bash('[ "$TOKEN" = ghs_"secret" ] && echo "same $TOKEN"', { env: new Map([['TOKEN', '${{ github.token }}']]) }),
      ],
      options(),
    )
    delete process.env['SANDBOX_LEAK']
    expect(report.log).toBe('acme/app 7 [] []\n{"number":4}\nsame ***')
  })

  it.each<[string, Step[], string, ('success' | 'failure' | 'skipped')[]]>([
    ['stop at a failure', [bash('exit 3'), bash('true')], 'failure', ['failure', 'skipped']],
    ['go on with always()', [bash('exit 3'), bash('true', { if: 'always()' })], 'failure', ['failure', 'success']],
    [
      'go on where a failure is tolerated',
      [bash('exit 3', { 'continue-on-error': true }), bash('true')],
      'success',
      ['success', 'success'],
    ],
    ['fail in the middle of a pipe', [bash('false | true')], 'failure', ['failure']],
    ['fail on an unknown context', [bash('echo ${{ nonsense.x }}')], 'failure', ['failure']],
    ['fail on a broken condition', [bash('true', { if: 'nonsense(' })], 'failure', ['failure']],
    ['fail on a broken output file', [bash('echo "x<<EOF" >> "$GITHUB_OUTPUT"')], 'failure', ['failure']],
    ['may not set reserved variables', [bash('echo "GITHUB_SHA=x" >> "$GITHUB_ENV"')], 'failure', ['failure']],
    ['may not set NODE_OPTIONS', [bash('echo "NODE_OPTIONS=x" >> "$GITHUB_ENV"')], 'failure', ['failure']],
    ['fail on an unknown action', [{ uses: 'no/where@v1' }], 'failure', ['failure']],
  ])('%s', async (_, steps, conclusion, conclusions) => {
    const report = await runSteps(steps, options())
    expect(report.conclusion).toBe(conclusion)
    expect(report.steps.map((step) => step.conclusion)).toEqual(conclusions)
  })

  it('become annotations and masks by workflow commands', async () => {
    const report = await runSteps(
      [
        bash(
          [
            'echo "::error file=a.yml,line=3,title=Bad::one%0Atwo"',
            'echo "::stop-commands::pause"',
            'echo "::warning::not heard"',
            'echo "::pause::"',
            'echo "::add-mask::hunter2"',
            'echo "password hunter2"',
          ].join('\n'),
        ),
      ],
      options(),
    )
    expect(report.annotations).toEqual([{ level: 'error', message: 'one\ntwo', title: 'Bad', file: 'a.yml', line: 3 }])
    expect(report.log).toContain('password ***')
  })

  it('are killed with their children when their time is over', async () => {
    const report = await runSteps([bash('sleep 60 & sleep 60')], options({ stepTimeoutMs: 200 }))
    expect(report.conclusion).toBe('failure')
    expect(report.log).toContain('timed out')
  })

  it('may be TypeScript that uses other steps', async () => {
    const report = await runSteps(
      [
        async function prepare({ step, token, setOutput }) {
          const { outputs } = await step(bash('echo "x=$(pwd)" >> "$GITHUB_OUTPUT"'))
          setOutput('y', `${token} ${outputs.get('x')}`)
        },
        () => Promise.reject(new Error('no luck')),
      ],
      options(),
    )
    expect(report.steps[0]?.outputs.get('y')).toBe(`ghs_secret ${join(root, 'workspace')}`)
    expect(report.annotations).toEqual([{ level: 'error', message: 'no luck' }])
  })
})

describe('a composite action', () => {
  const greet = `
name: Greet
inputs:
  who: { default: '\${{ github.repository }}' }
  Loud: { required: true }
outputs:
  greeting: { value: '\${{ steps.say.outputs.text }}' }
runs:
  using: composite
  steps:
    - id: say
      shell: bash
      env: { WHO: '\${{ inputs.who }}', LOUD: '\${{ inputs.loud }}' }
      run: |
        echo "text=hello $WHO $LOUD \${INPUT_WHO:-none} $OUTER" >> "$GITHUB_OUTPUT"
        [ -f "$GITHUB_ACTION_PATH/action.yml" ] && [ "$GITHUB_ACTION_PATH" = "\${{ github.action_path }}" ]
`
  it('gets inputs by expression only, defaults from the context, and gives declared outputs', async () => {
    const report = await runSteps(
      [
        { uses: 'acme/greet@v1', id: 'greet', with: new Map([['LOUD', 'yes']]), env: new Map([['OUTER', 'seen']]) },
        bash('echo "${{ steps.greet.outputs.greeting }} / ${{ steps.say.outputs.text }}"'),
      ],
      options({ actions: new Map([['acme/greet@v1', action('greet', greet)]]) }),
    )
    expect(report.log).toBe('hello acme/app yes none seen / ')
  })

  it('warns of inputs that it does not have', async () => {
    const report = await runSteps(
      [{ uses: 'acme/greet@v1', with: new Map([['whom', 'x']]) }],
      options({ actions: new Map([['acme/greet@v1', action('greet', greet)]]) }),
    )
    expect(report.annotations).toEqual([
      { level: 'warning', message: "Unexpected input(s) 'whom', valid inputs are ['who', 'Loud']" },
    ])
  })

  it('fails with its first failing step, and still gives what it has', async () => {
    const failing = action(
      'failing',
      `
name: Failing
outputs: { a: { value: '\${{ steps.a.outputs.a }}' } }
runs:
  using: composite
  steps:
    - { id: a, shell: bash, run: 'echo a=1 >> "$GITHUB_OUTPUT"; exit 2' }
    - { shell: bash, run: echo never }
    - { shell: bash, if: failure(), run: echo after }
`,
    )
    const report = await runSteps(
      [{ uses: 'x/failing@v1', id: 'it' }, bash('echo "a is ${{ steps.it.outputs.a }}"', { if: 'always()' })],
      options({ actions: new Map([['x/failing@v1', failing]]) }),
    )
    expect(report.conclusion).toBe('failure')
    expect(report.log.split('\n')).toEqual(['##[error]Process completed with exit code 2.', 'after', 'a is 1'])
  })

  it.each([
    ['no shell', 'name: X\nruns: { using: composite, steps: [{ run: "true" }] }', 'shell'],
    ['an unknown key', 'name: X\nruns: { using: composite, steps: [], pre: x.js }', 'pre'],
    ['docker', 'name: X\nruns: { using: docker, image: x }', 'using'],
    [
      'secrets',
      'name: X\nruns: { using: composite, steps: [{ shell: bash, run: "echo ${{ secrets.X }}" }] }',
      "named-value: 'secrets'",
    ],
  ])('is refused with %s', async (_, yaml, message) => {
    const report = await runSteps(
      [{ uses: 'x/y@v1' }],
      options({ actions: new Map([['x/y@v1', action('y', yaml)]]), contexts: { secrets: { X: 's3cret' } } }),
    )
    expect(report.conclusion).toBe('failure')
    expect(report.log).toContain(message)
  })

  it('runs node actions with INPUT_ variables', async () => {
    const source = action('node', 'name: N\ninputs: { some name: {} }\nruns: { using: node24, main: main.cjs }')
    if ('directory' in source)
      writeFileSync(join(source.directory, 'main.cjs'), 'console.log(process.env.INPUT_SOME_NAME)')
    const report = await runSteps(
      [{ uses: 'n/n@v1', with: new Map([['some name', 'given']]) }],
      options({ actions: new Map([['n/n@v1', source]]) }),
    )
    expect(report.log).toBe('given')
  })
})
