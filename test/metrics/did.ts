const n = 'https://w3id.org/momentum-lrs/'

/** The Agent of somebody in a test's statements. */
export const agentOf = (name: string) => ({ mbox: `mailto:${name}@example.org` })

/** A statement that somebody did something. */
export const did = (kind: string, name: string, timestamp: string, parts: object = {}) => ({
  actor: agentOf(name),
  verb: { id: `${n}verbs/${kind}` },
  object: { id: 'https://example.org/modules/feedback' },
  timestamp,
  ...parts
})

/** What makes a statement be about somebody. */
export const about = (name: string) => ({ context: { extensions: { [`${n}extensions/subject`]: agentOf(name) } } })
