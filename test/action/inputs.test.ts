import { describe, expect, it } from '@jest/globals'
import { environmentNameOf, INPUTS } from '../../src/action/inputs.ts'
import { COMMANDS } from '../../src/action/outputs.ts'
import { readInputs } from '../../src/action/read-inputs.ts'
import { type Given, given } from './stage.ts'

const read = (inputs: Given) => readInputs(given(inputs))

describe('the inputs', () => {
  it('have names that no shell or runner changes', () => {
    expect(environmentNameOf('fail-on-failed-status')).toBe('RINGMASTER_INPUT_FAIL_ON_FAILED_STATUS')
    for (const name of Object.keys(INPUTS)) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/)
  })

  it('have their defaults where they are left out or blank', () => {
    expect(read({ command: 'bump', preset: '  ', product: '' })).toEqual({
      ok: true,
      value: {
        acceptRisk: false,
        publishTo: null,
        roster: null,
        root: null,
        onlineKeys: null,
        channels: [],
        requests: [],
        validHours: '168',
        views: false,
        publicUrl: null,
        command: 'bump',
        product: null,
        path: null,
        exclude: [],
        otherPaths: [],
        version: null,
        environment: null,
        status: 'completed',
        sha: null,
        source: 'commits',
        labelLevels: [],
        preset: 'ringmaster',
        rules: [],
        visibleTypes: null,
        preMajorBreaking: null,
        preMajorFeature: null,
        tagPattern: null,
        scheme: null,
        firstParent: false,
        prerelease: null,
        graduate: null,
        releaseBranch: null,
        githubRelease: false,
        notes: 'commits',
        audience: 'external',
        externalTypes: null,
        internalScopes: [],
        template: null,
        changelog: null,
        checkChangelog: false,
        check: false,
        writeVersionFiles: false,
        versionFiles: [],
        workingDirectory: '.',
        artifacts: null,
        customerAction: null,
        environmentUrl: null,
        description: null,
        failOnFailedStatus: true,
        dryRun: false,
        githubToken: null,
        unused: [],
      },
    })
  })

  it('are read as what they are', () => {
    expect(
      read({
        command: 'record-build',
        exclude: 'api/web\n\n api/docs ',
        'other-paths': 'api\n api/sdk',
        rules: 'docs(readme): patch\nchore:none',
        'visible-types': 'feat, fix\ndocs',
        'pre-major-breaking': 'major',
        'dry-run': 'TRUE',
        'fail-on-failed-status': 'false',
      }),
    ).toMatchObject({
      ok: true,
      value: {
        exclude: ['api/web', 'api/docs'],
        otherPaths: ['api', 'api/sdk'],
        rules: [
          { type: 'docs', scope: 'readme', bump: 'patch' },
          { type: 'chore', bump: 'none' },
        ],
        visibleTypes: ['feat', 'fix', 'docs'],
        preMajorBreaking: 'major',
        dryRun: true,
        failOnFailedStatus: false,
      },
    })
  })

  it('report all their problems at once', () => {
    const checked = read({
      command: 'record-deployment',
      preset: 'gitmoji',
      rules: 'everything is major',
      'dry-run': 'yes',
      sha: 'main',
    })
    expect(checked.ok ? [] : checked.problems.map(({ path, code }) => [path, code])).toEqual([
      ['rules', 'input-invalid'],
      ['sha', 'input-invalid'],
      ['version', 'input-missing'],
      ['environment', 'input-missing'],
      ['preset', 'input-invalid'],
      ['dry-run', 'input-invalid'],
    ])
  })

  it.each(['', 'deploy', '__proto__', 'constructor'])(
    'refuse the command "%s" and name the ones there are',
    (command) => {
      const checked = read({ command })
      expect(checked).toMatchObject({ ok: false, problems: [{ path: 'command' }] })
      const said = checked.ok ? '' : `${checked.problems[0]?.message} ${checked.problems[0]?.hint}`
      for (const name of COMMANDS) expect(said).toContain(name)
    },
  )

  it('tell which of them a command does not read, but not the defaults that the runner fills in', () => {
    expect(
      read({ command: 'bump', environment: 'production', status: 'completed', 'github-token': 'x', version: '1.0.0' }),
    ).toMatchObject({ ok: true, value: { unused: ['version', 'environment'] } })
  })
})
