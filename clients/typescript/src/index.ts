export { Client, type ClientOptions, type ListOptions } from "./client.ts";
export { ApiError, NotReached, RecsysError, UnexpectedAnswer } from "./errors.ts";
export type { TrackedEvent } from "./event-store.ts";
export type * from "./schema.ts";
export { forgetEvents, Tracker, type PageEvent, type TrackerOptions } from "./tracker.ts";
export type { Credentials } from "./transport.ts";
