import type { Seed } from './seed.ts'

/** A small company for the sandbox's own tests: ann owns it, bob writes, eve only reads, mal is a stranger. */
export const acme = {
  people: [{ login: 'ann', name: 'Ann' }, 'bob', 'eve', 'mal'],
  organizations: [
    {
      login: 'acme',
      owners: ['ann'],
      members: ['bob', 'eve'],
      teams: [
        { slug: 'eng', members: [] },
        { slug: 'qa', members: ['bob'], parent: 'eng' },
      ],
    },
  ],
  repositories: [
    {
      name: 'acme/app',
      private: true,
      teams: { eng: 'write' },
      commits: [
        {
          message: 'feat: begin',
          files: { 'README.md': '# app\n', 'src/a.txt': 'one\n' },
          author: 'ann',
          tag: 'v1.0.0',
        },
        { message: 'fix: second\n\nwhy', files: { 'src/a.txt': 'two\n', 'src/b.txt': 'b\n' }, author: 'bob' },
      ],
    },
    { name: 'acme/empty', private: true, teams: { eng: 'write' } },
    { name: 'acme/open', commits: [{ message: 'feat: begin', files: { 'a.txt': 'a' }, author: 'ann' }] },
  ],
  apps: [
    {
      slug: 'ringmaster',
      permissions: {
        administration: 'write',
        actions: 'read',
        checks: 'write',
        contents: 'write',
        deployments: 'write',
        issues: 'write',
        members: 'read',
        pages: 'write',
        pull_requests: 'write',
        statuses: 'write',
      },
      events: [
        'issues',
        'issue_comment',
        'pull_request',
        'pull_request_review',
        'push',
        'check_run',
        'create',
        'delete',
        'status',
      ],
      webhookSecret: 'a secret',
      installations: [{ account: 'acme' }],
    },
    { slug: 'reader', permissions: { contents: 'read' }, events: [], installations: [{ account: 'acme' }] },
  ],
} as const satisfies Seed
