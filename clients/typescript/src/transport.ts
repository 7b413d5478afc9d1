// One request and its answer, without retries.
import { ApiError, NotReached, UnexpectedAnswer } from "./errors.ts";
import { toJson } from "./json.ts";
import type { ProblemDetails } from "./schema.ts";

export interface Credentials {
  /** Of the shop's server, or a public one in a page. */
  apiKey: string;
  /** Beside a public key: the token that the shop's server signed for this user. */
  sessionToken?: string;
}

export interface Call {
  method: string;
  /** With its parameters, encoded. */
  path: string;
  body?: unknown;
  /** A batch of which every part was rejected is answered 422, with the same answer. */
  isBatch?: boolean;
}

export interface Sending {
  timeoutSeconds: number;
  /** Whether the request outlives the page. */
  keepalive?: boolean;
  fetch?: typeof fetch;
}

/**
 * Make a call and read its answer.
 *
 * @param baseUrl with a / at its end or without
 * @throws ApiError, NotReached or UnexpectedAnswer; RecsysError for what cannot be sent
 */
export async function answerOf<Answer>(
  baseUrl: string,
  credentials: Credentials,
  call: Call,
  sending: Sending,
): Promise<Answer> {
  const { response, text } = await exchange(baseUrl, credentials, call, sending);
  const json = parse(text);
  if (response.ok && (json !== undefined || response.status === 204)) return json as Answer;
  const isRejectedBatch = response.status === 422 && call.isBatch && isObject(json) && "rejected" in json;
  if (isRejectedBatch) return json as Answer;
  throw failure(response, json);
}

async function exchange(
  baseUrl: string,
  { apiKey, sessionToken }: Credentials,
  { method, path, body }: Call,
  { timeoutSeconds, keepalive = false, fetch: fetched = fetch }: Sending,
): Promise<{ response: Response; text: string }> {
  const headers: Record<string, string> = { "X-API-Key": apiKey };
  if (sessionToken) headers["X-Session-Token"] = sessionToken;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const signal = AbortSignal.timeout(Math.max(1, Math.floor(timeoutSeconds * 1000)));
  const content = body === undefined ? null : toJson(body);
  try {
    const response = await fetched(baseUrl.replace(/\/+$/, "") + path, { method, headers, body: content, keepalive, signal });
    return { response, text: await response.text() };
  } catch (error) {
    throw new NotReached(`${method} ${path}: ${error}`, { cause: error });
  }
}

function failure(response: Response, json: unknown): Error {
  if (response.headers.get("Content-Type")?.startsWith("application/problem+json") && isObject(json)) {
    const seconds = Number(response.headers.get("Retry-After") ?? undefined);
    return new ApiError(json as ProblemDetails, Number.isFinite(seconds) ? seconds : undefined);
  }
  const message = `${response.url} answered ${response.status} without what was expected`;
  // Such as 502 of a proxy in between.
  return response.status >= 500 ? new NotReached(message) : new UnexpectedAnswer(message);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(json: unknown): json is object {
  return typeof json === "object" && json !== null;
}
