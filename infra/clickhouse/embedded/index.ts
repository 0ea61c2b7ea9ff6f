export { EmbeddedClickHouseError, type EmbeddedClickHouseErrorCode } from './platform.ts';
export {
  startEmbeddedClickHouse,
  type EmbeddedClickHouse,
  type EmbeddedClickHouseLogger,
  type EmbeddedClickHouseOptions,
  type EmbeddedClickHouseState,
} from './supervisor.ts';
export type { User as EmbeddedClickHouseUser } from './users.ts';
