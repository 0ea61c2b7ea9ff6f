import { z } from 'zod';

const userSchema = z.object({
  name: z.string().min(1).max(64),
  password: z.string().max(256),
  role: z.enum(['writer', 'analyst']),
});

/** Parent to child, once, first. Passwords go this way so that no process list shows them. */
export const startMessageSchema = z.object({
  type: z.literal('start'),
  dataDir: z.string().min(1),
  port: z.int().min(0).max(65535),
  users: z.array(userSchema).max(100),
  memoryBytes: z.int().positive(),
  maxBodyBytes: z.int().positive(),
  maxResultBytes: z.int().positive(),
});

export type StartMessage = z.infer<typeof startMessageSchema>;

/** Child to parent. */
export const childMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), port: z.int() }),
  z.object({
    type: z.literal('failed'),
    code: z.enum(['SLUICE_HISTORY_UNSUPPORTED', 'SLUICE_HISTORY_PORT', 'SLUICE_HISTORY_START']),
    message: z.string(),
  }),
]);

export type ChildMessage = z.infer<typeof childMessageSchema>;
