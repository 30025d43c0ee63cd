/** The namespace of Momentum's own verbs, activity types and extensions. */
export const namespace = 'https://w3id.org/momentum-lrs/'
