import { type TSchema, Type } from 'typebox'

/** A local date, `YYYY-MM-DD`. */
export const localDate = (description: string, example: string) =>
  Type.String({ description, format: 'date', examples: [example] })

/** An ISO instant. */
export const instant = (description: string, example: string) =>
  Type.String({ description, format: 'date-time', examples: [example] })

/** One of some words. */
export const words = <Values extends string[]>(values: readonly [...Values], about: { description?: string } = {}) =>
  Type.Enum(values, { type: 'string', ...about })

/** A value or null. */
export const nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()])
