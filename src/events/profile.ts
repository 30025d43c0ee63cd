import { namespace } from './namespace.js'
import { profileConcepts, profileVersion } from './profile-concepts.js'
import { profilePatterns } from './profile-patterns.js'
import { profileTemplates } from './profile-templates.js'

/**
 * Momentum's xAPI Profile: its verbs, activity types and extensions, the canonical form of the six kinds' statements,
 * and the practice loop that they make.
 *
 * @see xAPI Profiles 1.0 Structure 6.0
 */
export const profile = {
  '@context': 'https://w3id.org/xapi/profiles/context',
  id: `${namespace}profile`,
  type: 'Profile',
  conformsTo: 'https://w3id.org/xapi/profiles#1.0',
  prefLabel: { en: 'Momentum' },
  definition: {
    en: 'Coaching in small steps: what is delivered to learners, what they open, practise and repeat, what peers and managers say to it, and what else learning platforms tell of them.'
  },
  versions: [{ id: profileVersion, generatedAtTime: '2026-11-22T00:00:00Z' }],
  author: { type: 'Organization', name: 'Momentum LRS' },
  concepts: profileConcepts,
  templates: profileTemplates,
  patterns: profilePatterns
} as const
