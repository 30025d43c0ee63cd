import { Type } from 'typebox'
import { filterLimits, namePattern } from '../../people/cohort-filter.js'
import { scopes } from '../scopes.js'

// Control characters have no place in a name; PostgreSQL's text can't hold U+0000 at all.
const visible = '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]*$'

const name = (description: string, example: string) =>
  Type.String({ minLength: 1, maxLength: 200, pattern: visible, description, examples: [example] })

const instant = (description: string) => Type.String({ format: 'date-time', description })

const orNull = (description: string) => Type.Union([Type.String({ format: 'date-time' }), Type.Null()], { description })

const scopeList = Type.Array(
  Type.Enum(Object.keys(scopes), {
    type: 'string',
    description: Object.entries(scopes)
      .map(([scope, meaning]) => `\`${scope}\`: ${meaning}.`)
      .join(' ')
  }),
  { minItems: 1, maxItems: 50 }
)

const mayAssertAuthority = 'Whether the authority that is sent with a statement is kept, instead of being replaced'

const personIdMeaning =
  'The `personId` of whom the credential stands for, to whom `line/read` and `self/read` are limited; the roster need not know it yet'

const personId = Type.Unsafe<string | null>({
  type: ['string', 'null'],
  minLength: 1,
  maxLength: filterLimits.nameLength,
  pattern: namePattern,
  description: `${personIdMeaning}. Null for nobody`,
  examples: ['4711']
})

/** What a credential is made from. */
export const NewCredential = Type.Object(
  {
    name: name('For people to read; also the name of the authority', 'LMS of the north'),
    scopes: scopeList,
    mayAssertAuthority: Type.Optional(Type.Boolean({ default: false, description: mayAssertAuthority })),
    personId: Type.Optional(personId)
  },
  {
    title: 'NewCredential',
    description: 'What a credential is made from',
    additionalProperties: false,
    examples: [
      { name: 'LMS of the north', scopes: ['statements/write', 'statements/read/mine', 'state'] },
      { name: 'Ada’s dashboard', scopes: ['line/read'], personId: '4711' }
    ]
  }
)

/** What of a credential can be changed. */
export const CredentialChange = Type.Object(
  { personId },
  {
    title: 'CredentialChange',
    description: 'What of a credential can be changed',
    additionalProperties: false,
    examples: [{ personId: '4711' }]
  }
)

const credential = {
  key: Type.String({ description: 'The user name of HTTP Basic' }),
  name: Type.String({ description: 'For people to read' }),
  scopes: Type.Immutable(Type.Array(Type.String())),
  mayAssertAuthority: Type.Boolean({ description: mayAssertAuthority }),
  personId: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    description: `${personIdMeaning}; null for nobody`
  }),
  createdAt: instant('When it was made'),
  rotatedAt: orNull('When its secret was last changed; null for never'),
  revokedAt: orNull('When it stopped to be valid; null while it is')
}

const issued = { key: 'b9bb2a4e', secret: 'pLQ4…3wE' }

const listed = {
  key: issued.key,
  name: 'LMS of the north',
  scopes: ['statements/write', 'statements/read/mine', 'state'],
  mayAssertAuthority: false,
  personId: null,
  createdAt: '2026-03-02T08:00:00.000Z',
  rotatedAt: null,
  revokedAt: null
}

/** A credential without its secret. */
export const Credential = Type.Object(credential, {
  title: 'Credential',
  description: 'A credential; its secret is never shown again',
  examples: [listed]
})

export const CredentialList = Type.Object(
  { credentials: Type.Immutable(Type.Array(Credential)) },
  {
    title: 'CredentialList',
    description: 'The credentials, oldest first',
    examples: [{ credentials: [listed] }]
  }
)

/** Key and secret, once. */
export const IssuedCredential = Type.Object(
  {
    key: Type.String({ description: 'The user name of HTTP Basic' }),
    secret: Type.String({ description: 'Shown this once: only its hash is kept' })
  },
  { title: 'IssuedCredential', description: 'A key and its new secret', examples: [issued] }
)

export const KeyParameter = Type.Object({
  key: Type.String({
    minLength: 1,
    maxLength: 200,
    pattern: visible,
    description: 'Of a credential of the own tenant',
    examples: [issued.key]
  })
})

/** What a tenant is made from. */
export const NewTenant = Type.Object(
  {
    name: name('Of its own among all tenants', 'north'),
    timeZone: Type.Optional(
      Type.String({
        maxLength: 64,
        default: 'UTC',
        description: 'IANA name of the time zone in which its local days are cut',
        examples: ['Europe/Berlin']
      })
    )
  },
  {
    title: 'NewTenant',
    description: 'What a tenant is made from',
    additionalProperties: false,
    examples: [{ name: 'north', timeZone: 'Europe/Berlin' }]
  }
)

/** What of a tenant can be changed. */
export const TenantChange = Type.Object(
  {
    timeZone: Type.String({
      maxLength: 64,
      description:
        'IANA name of the time zone in which its local days are cut; all its events are put on their days anew',
      examples: ['Europe/Berlin']
    })
  },
  {
    title: 'TenantChange',
    description: 'What of a tenant can be changed',
    additionalProperties: false,
    examples: [{ timeZone: 'Europe/Berlin' }]
  }
)

const tenant = {
  id: Type.Integer({ description: 'Its number in the database' }),
  name: Type.String({ description: 'Of its own among all tenants' }),
  timeZone: Type.String({ description: 'IANA name of the time zone in which its local days are cut' })
}

const north = { id: 2, name: 'north', timeZone: 'Europe/Berlin' }

export const ChangedTenant = Type.Object(
  {
    ...tenant,
    derivationId: Type.Union([Type.Integer(), Type.Null()], {
      description:
        'The derivation that cuts its days anew, see `/api/v1/derivations`; null where the zone was that already'
    })
  },
  { title: 'ChangedTenant', description: 'A tenant after a change', examples: [{ ...north, derivationId: 3 }] }
)

export const NameParameter = Type.Object({
  name: Type.String({
    minLength: 1,
    maxLength: 200,
    pattern: visible,
    description: 'Of a tenant',
    examples: [north.name]
  })
})

export const TenantList = Type.Object(
  {
    tenants: Type.Immutable(
      Type.Array(Type.Object({ ...tenant, createdAt: instant('When it was made') }, { title: 'Tenant' }))
    )
  },
  {
    title: 'TenantList',
    description: 'The tenants, oldest first',
    examples: [{ tenants: [{ ...north, createdAt: '2026-03-02T08:00:00.000Z' }] }]
  }
)

export const MadeTenant = Type.Object(
  { ...tenant, credential: IssuedCredential },
  {
    title: 'MadeTenant',
    description: 'A new tenant and its first credential',
    examples: [{ ...north, credential: issued }]
  }
)
