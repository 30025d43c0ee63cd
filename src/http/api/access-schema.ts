import { Type } from 'typebox'
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

/** What a credential is made from. */
export const NewCredential = Type.Object(
  {
    name: name('For people to read; also the name of the authority', 'LMS of the north'),
    scopes: scopeList,
    mayAssertAuthority: Type.Optional(Type.Boolean({ default: false, description: mayAssertAuthority }))
  },
  {
    additionalProperties: false,
    examples: [{ name: 'LMS of the north', scopes: ['statements/write', 'statements/read/mine', 'state'] }]
  }
)

const credential = {
  key: Type.String({ description: 'The user name of HTTP Basic' }),
  name: Type.String(),
  scopes: Type.Immutable(Type.Array(Type.String())),
  mayAssertAuthority: Type.Boolean({ description: mayAssertAuthority }),
  createdAt: instant('When it was made'),
  rotatedAt: orNull('When its secret was last changed; null for never'),
  revokedAt: orNull('When it stopped to be valid; null while it is')
}

export const CredentialList = Type.Object({ credentials: Type.Immutable(Type.Array(Type.Object(credential))) })

/** Key and secret, once. */
export const IssuedCredential = Type.Object(
  { key: Type.String(), secret: Type.String({ description: 'Shown this once: only its hash is kept' }) },
  { description: 'A new secret' }
)

export const KeyParameter = Type.Object({ key: Type.String({ minLength: 1, maxLength: 200, pattern: visible }) })

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
  { additionalProperties: false }
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
  { additionalProperties: false }
)

const tenant = { id: Type.Integer(), name: Type.String(), timeZone: Type.String() }

export const TenantList = Type.Object({
  tenants: Type.Immutable(Type.Array(Type.Object({ ...tenant, createdAt: instant('When it was made') })))
})

export const ChangedTenant = Type.Object({
  ...tenant,
  derivationId: Type.Union([Type.Integer(), Type.Null()], {
    description:
      'The derivation that cuts its days anew, see `/api/v1/derivations`; null where the zone was that already'
  })
})

export const NameParameter = Type.Object({ name: Type.String({ minLength: 1, maxLength: 200, pattern: visible }) })

export const MadeTenant = Type.Object({ ...tenant, credential: IssuedCredential })
