/** Every setting of the program, resolved. */
export interface Config {
  readonly host: string
  readonly port: number
  readonly databaseUrl: string | null
  readonly dataDir: string
  readonly bootstrapKey: string | null
  readonly bootstrapSecret: string | null
  readonly logLevel: string
  readonly tenantTimeZone: string
  readonly databasePoolSize: number
  readonly maxBodyBytes: number
  readonly maxBatchStatements: number
  readonly maxPageStatements: number
  readonly maxJsonDepth: number
  readonly maxPeople: number
  readonly requestTimeoutMs: number
  readonly shutdownTimeoutMs: number
  readonly minGroupSize: number
}
