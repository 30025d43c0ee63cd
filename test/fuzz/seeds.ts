import { createHash } from 'node:crypto'
import { attachment } from '../support/multipart.js'
import { opened, voiding } from '../support/statements.js'

export const attached = 'the bytes of an attachment'

const group = {
  objectType: 'Group',
  name: 'Team',
  member: [
    { mbox: 'mailto:ada@example.org' },
    { mbox_sha1sum: createHash('sha1').update('mailto:b@example.org').digest('hex') },
    { openid: 'https://id.example.org/c' }
  ]
}

const context = {
  registration: '0197f3a2-5b1c-7d4e-9a60-2f8c1e7b3d90',
  instructor: { mbox: 'mailto:boss@example.org' },
  team: group,
  contextActivities: {
    parent: [{ id: 'https://example.org/modules/feedback' }],
    grouping: [{ id: 'https://example.org/courses/1', definition: { type: 'https://example.org/types/course' } }],
    category: [{ id: 'https://w3id.org/xapi/cmi5/context/categories/moveon' }]
  },
  revision: '1',
  platform: 'Moodle',
  language: 'de-CH-1996',
  statement: { objectType: 'StatementRef', id: '0197f3a2-5b1c-7d4e-9a60-2f8c1e7b3d92' },
  extensions: {
    'https://w3id.org/momentum-lrs/extensions/cohort': 'pilot',
    'https://w3id.org/momentum-lrs/extensions/role': 'engineer',
    'https://w3id.org/momentum-lrs/extensions/subject': { mbox: 'mailto:boss@example.org' }
  }
}

const definition = {
  name: { en: 'A question', 'de-CH': 'Eine Frage' },
  description: { en: 'What it asks' },
  type: 'http://adlnet.gov/expapi/activities/cmi.interaction',
  moreInfo: 'https://example.org/more',
  interactionType: 'choice',
  correctResponsesPattern: ['a[,]b'],
  choices: [{ id: 'a', description: { en: 'A' } }, { id: 'b' }],
  extensions: { 'https://example.org/x': { deep: [1, 2.5, null, true] } }
}

/** Statements of every form that the standard knows; ids are given to them when they are sent. */
export const statementSeeds: readonly [object, ...object[]] = [
  opened,
  { ...opened, timestamp: '2026-03-02T10:00:00.123456Z', verb: { ...opened.verb, display: { en: 'opened' } } },
  {
    actor: { objectType: 'Agent', name: 'Ada', account: { homePage: 'https://lms.example.org', name: 'ada' } },
    verb: { id: 'http://adlnet.gov/expapi/verbs/answered', display: { en: 'answered' } },
    object: { objectType: 'Activity', id: 'https://example.org/questions/1', definition },
    result: {
      score: { scaled: 0.75, raw: 75, min: 0, max: 100 },
      success: true,
      completion: true,
      response: 'a[,]b',
      duration: 'PT1H2M3.45S',
      extensions: { 'https://w3id.org/momentum-lrs/extensions/outcome-tags': ['confident', 'needs-practice'] }
    },
    context,
    timestamp: '2026-03-03T10:00:00+02:00',
    version: '1.0.0',
    authority: { mbox: 'mailto:lms@example.org' }
  },
  {
    actor: group,
    verb: { id: 'https://w3id.org/momentum-lrs/verbs/peer-feedback' },
    object: { objectType: 'Agent', mbox: 'mailto:ada@example.org' },
    context: { contextActivities: { parent: { id: 'https://example.org/modules/feedback' } } }
  },
  {
    ...opened,
    object: {
      objectType: 'SubStatement',
      ...opened,
      result: { completion: false },
      context: { contextActivities: context.contextActivities }
    }
  },
  { ...opened, object: { objectType: 'StatementRef', id: '0197f3a2-5b1c-7d4e-9a60-2f8c1e7b3d91' } },
  voiding('0197f3a2-5b1c-7d4e-9a60-2f8c1e7b3d91'),
  { ...opened, attachments: [attachment(attached), attachment('elsewhere', { fileUrl: 'https://example.org/file' })] },
  { ...opened, attachments: [attachment(attached)] },
  {
    ...opened,
    context: {
      contextAgents: [{ objectType: 'contextAgent', agent: { mbox: 'mailto:boss@example.org' } }],
      contextGroups: [{ objectType: 'contextGroup', group, relevantTypes: ['https://example.org/types/team'] }]
    }
  },
  { ...opened, context: { ...context, team: undefined, revision: undefined, platform: undefined } }
]

const person = {
  personId: 'person-1',
  name: 'Ada Lovelace',
  agents: [{ mbox: 'mailto:ada@example.org' }],
  role: 'engineer',
  team: 'platform',
  managerId: 'person-2',
  region: 'north',
  cohorts: ['pilot'],
  validFrom: '2026-01-01'
}

/** Bodies beside the document's examples, by method and path. */
export const bodySeeds: Readonly<Record<string, readonly unknown[]>> = {
  'PUT /api/v1/people': [
    [person],
    ['4711', '4712', '4713'].map(personId => ({ personId, agents: [], cohorts: ['pilot'] }))
  ],
  'POST /api/v1/people/{personId}/merge': [{ from: { personId: 'person-2' } }, { from: { personId: '4712' } }],
  'POST /api/v1/erasures': [{ personId: 'person-1' }, { agents: person.agents }, { personId: '4711', dryRun: true }]
}
