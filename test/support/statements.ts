/** A statement to begin with: Ada opened a module. */
export const opened = {
  actor: { mbox: 'mailto:ada@example.org' },
  verb: { id: 'https://w3id.org/momentum-lrs/verbs/opened' },
  object: { id: 'https://example.org/modules/feedback' }
} as const

/** A voiding statement. */
export function voiding(targetId: string) {
  return {
    actor: { mbox: 'mailto:admin@example.org' },
    verb: { id: 'http://adlnet.gov/expapi/verbs/voided' },
    object: { objectType: 'StatementRef', id: targetId }
  } as const
}
