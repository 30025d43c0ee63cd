import type { Generated } from 'kysely'

export interface ScoreDefinitionTable {
  tenant_id: number
  score: string
  version: number
  definition: unknown
  created_by: string
  created_at: Generated<string>
}

export interface PilotTable {
  tenant_id: number
  id: string
  name: string | null
  cohort: string
  starts_on: string
  length_weeks: number
  definition: unknown
  created_at: Generated<string>
  updated_at: Generated<string>
}
