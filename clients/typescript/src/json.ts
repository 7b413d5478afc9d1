// What is sent, as JSON.
import { RecsysError } from "./errors.ts";

/**
 * The JSON of a value.
 *
 * @throws RecsysError naming what JSON cannot say. For NaN it would say null, and a price be lost without a word.
 */
export function toJson(value: unknown): string {
  try {
    return JSON.stringify(value, replacer);
  } catch (error) {
    // Of an object within itself.
    throw error instanceof RecsysError ? error : new RecsysError(`JSON cannot say this: ${error}`, { cause: error });
  }
}

function replacer(this: Record<string, unknown>, name: string, value: unknown): unknown {
  // As it was before its own toJSON, which makes null of a date without a time.
  const given = this[name];
  const isNone = given instanceof Date ? Number.isNaN(given.getTime()) : typeof given === "number" && !Number.isFinite(given);
  if (isNone || typeof given === "bigint") throw new RecsysError(`${name} is ${given}, which JSON cannot say`);
  return value;
}
