// `npm run test:faults` in plain JavaScript: TypeScript runs only after tap's own loader is in place.
process.env.TS_NODE_TRANSPILE_ONLY = '1'
await import('@tapjs/typescript/import')
await import('./main.ts')
