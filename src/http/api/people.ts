import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { DateTime } from 'luxon'
import { Type } from 'typebox'
import { LrsError } from '../../errors.js'
import type { PersonRecord } from '../../people/person-record.js'
import { putPeople } from '../../people/put-people.js'
import { enqueueMovedAgents } from '../../rollup/enqueue.js'
import { ifiOf } from '../../xapi/ifi.js'
import type { Actor } from '../../xapi/statement.js'
import { validateAgent } from '../../xapi/validate.js'
import type { HttpContext } from '../context.js'
import { access } from '../scopes.js'
import { problemResponses } from './problem-schema.js'

// Control characters have no place in a name; PostgreSQL's text can't hold U+0000 at all.
const Name = (description: string) =>
  Type.String({ minLength: 1, maxLength: 500, pattern: '^[^\\u0000-\\u001f\\ud800-\\udfff]*$', description })

const Person = Type.Object(
  {
    personId: Name("The organisation's own name for the person, such as a staff number"),
    name: Type.Optional(Name('For people to read')),
    agents: Type.Array(Type.Unsafe<unknown>({ type: 'object' }), {
      minItems: 1,
      maxItems: 100,
      description: 'The xAPI Agents that the person acts under; those known before stay'
    }),
    cohorts: Type.Optional(
      Type.Array(Name('A named cohort'), { maxItems: 1000, description: 'Those known before stay when this is absent' })
    ),
    validFrom: Type.Optional(
      Type.String({
        format: 'date',
        // PostgreSQL has no year 0.
        pattern: '^(?!0000)',
        description: 'First local day for which this holds; by default all time for a new person, today for a known one'
      })
    )
  },
  {
    additionalProperties: false,
    examples: [{ personId: '4711', agents: [{ mbox: 'mailto:ada@example.org' }], cohorts: ['pilot'] }]
  }
)

const Outcome = Type.Object({
  received: Type.Integer(),
  created: Type.Integer(),
  updated: Type.Integer(),
  unchanged: Type.Integer()
})

/** The roster: people, their agents and cohorts. */
export function peopleRoutes({ db, config, now, wakeWorker }: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    app.put('/people', {
      schema: {
        operationId: 'putPeople',
        tags: ['people'],
        summary: 'Make or update people, all of them or none',
        body: Type.Array(Person),
        response: { 200: Outcome, ...problemResponses(400, 401, 403, 409, 413) }
      },
      config: { scopes: access.people.write },
      handler: async request => {
        const { tenantId, timeZone } = request.principal
        if (request.body.length > config.maxPeople) {
          throw new LrsError(
            'body-too-large',
            `${request.body.length} people are more than the ${config.maxPeople} of MAX_PEOPLE`
          )
        }
        const outcome = await putPeople(db, request.body.map(toRecord), {
          tenantId,
          today: DateTime.fromJSDate(now(), { zone: timeZone }).toFormat('yyyy-MM-dd'),
          onMoved: (trx, moves) => enqueueMovedAgents(trx, tenantId, moves)
        })
        wakeWorker()
        return outcome
      }
    })
  }
}

type PersonBody = Omit<PersonRecord, 'agents'> & { readonly agents: readonly unknown[] }

function toRecord(person: PersonBody, index: number): PersonRecord {
  const agents = person.agents.map((agent, position) => {
    const violation = validateAgent(agent, '1.0.3')
    // It is valid, so it has an identifier.
    if (violation === null) return String(ifiOf(agent as Actor))
    const { message, pointer, rule } = violation
    throw new LrsError('invalid-body', `Person ${index}: ${message}`, {
      index,
      pointer: `/agents/${position}${pointer}`,
      rule
    })
  })
  return { ...person, agents }
}
