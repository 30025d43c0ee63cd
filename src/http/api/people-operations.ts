import { mostChanges } from '../../people/rehearse-people.js'
import {
  FindPeopleQuery,
  FindPersonQuery,
  HistoryAnswer,
  HistoryBody,
  PeopleAnswer,
  PeopleBody,
  PersonAnswer,
  PersonParameter,
  PutHistoryAnswer,
  PutPeopleAnswer,
  PutPeopleQuery
} from './people-schema.js'
import { problemResponses } from './problem-schema.js'

const tags = ['people']

export const putPeopleSchema = {
  operationId: 'putPeople',
  tags,
  summary: 'Make or update people, all of them or none',
  description: `Each record is a merge patch: what is absent stays as it was known, null clears it. A first record holds for all time before, unless it has a \`validFrom\`; a later one that differs ends the range before it on its \`validFrom\`, or today, and ranges that begin later give way. Agents are added, never taken away; those of a person who was merged into another go to the other.\n\nIn CSV an empty cell is absent and \`\\N\` clears; the agents stand in \`mbox\`, \`email\`, \`mbox_sha1sum\`, \`openid\`, \`account.homePage\` and \`account.name\`, or as JSON in \`agents\`; cohorts are separated by semicolons, and a demographic group has its column \`demographics.<key>\`. Further rows of a person bring further agents.\n\nWith \`dryRun\` nothing is changed, and the answer has the first ${mostChanges} of those who would be.`,
  querystring: PutPeopleQuery,
  body: PeopleBody,
  response: { 200: PutPeopleAnswer, ...problemResponses(400, 401, 403, 408, 409, 413, 415) }
}

export const findPeopleSchema = {
  operationId: 'findPeople',
  tags,
  summary: 'The people of the roster on a day, page by page',
  description:
    'Everybody of whom the roster says something on the day, who is hired by then and has not left, in the order of their personId. Merged people are not among them. With `line/read` those of the own line on the day; with `self/read` oneself.',
  querystring: FindPeopleQuery,
  response: { 200: PeopleAnswer, ...problemResponses(400, 401, 403) }
}

export const getPersonSchema = {
  operationId: 'findPerson',
  tags,
  summary: 'One person, as the roster knows them on a day',
  description:
    'Also somebody who has left, or was merged into another person, who then has the agents. With `line/read` or `self/read`, everybody but the own line on the day, or oneself, is 404.',
  params: PersonParameter,
  querystring: FindPersonQuery,
  response: { 200: PersonAnswer, ...problemResponses(400, 401, 403, 404) }
}

export const getHistorySchema = {
  operationId: 'getPersonHistory',
  tags,
  summary: 'All that the roster says of a person, and from when to when',
  description:
    'Ranges of local days, half-open, in their order. On days between them nothing is known. With `line/read` they are cut to the days in the own line.',
  params: PersonParameter,
  response: { 200: HistoryAnswer, ...problemResponses(400, 401, 403, 404) }
}

export const putHistorySchema = {
  operationId: 'putPersonHistory',
  tags,
  summary: "Correct a person's history: these ranges replace all that there are",
  description:
    'The ranges stand in the order of their days and do not overlap. Metrics about the past follow at once, because no derived table holds an attribute.',
  params: PersonParameter,
  querystring: PutPeopleQuery,
  body: HistoryBody,
  response: { 200: PutHistoryAnswer, ...problemResponses(400, 401, 403, 404, 413) }
}
