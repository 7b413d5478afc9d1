// What can go wrong with a call.
import type { Problem, ProblemDetails } from "./schema.ts";

/** Any failure of this client. */
export class RecsysError extends Error {
  override name = "RecsysError";
}

/** There was no answer; whether the API did what it was asked for is not known. */
export class NotReached extends RecsysError {
  override name = "NotReached";
}

/** What answered is not the API. */
export class UnexpectedAnswer extends RecsysError {
  override name = "UnexpectedAnswer";
}

/** A problem that the API describes (RFC 9457); `problem.type` says which. */
export class ApiError extends RecsysError {
  override name = "ApiError";
  readonly problem: ProblemDetails;
  /** When to come again, where the API says so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(problem: ProblemDetails, retryAfterSeconds?: number) {
    const fields = (problem.problems ?? []).map(({ field, reason }) => `; ${field}: ${reason}`);
    super(`${problem.status} ${problem.title}: ${problem.detail}${fields.join("")}`);
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get status(): number {
    return this.problem.status;
  }

  /** The fields at fault. */
  get problems(): readonly Problem[] {
    return this.problem.problems ?? [];
  }
}

// 500 is a fault of the server, which the same call meets again.
const PASSING = new Set([408, 429, 502, 503, 504]);

/** Whether the same call may succeed later. */
export function mayPass(error: unknown): boolean {
  return error instanceof ApiError ? PASSING.has(error.status) : error instanceof NotReached;
}

/** Seconds that the API asks to wait. */
export function retryAfter(error: unknown): number {
  return (error instanceof ApiError && error.retryAfterSeconds) || 0;
}
