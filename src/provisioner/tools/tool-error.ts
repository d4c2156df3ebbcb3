import { ProvisionError } from "../core/errors.ts";

/** What a file system says when the user has to do something about it, in words. */
const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
  ENOSPC: "no space is left",
  EDQUOT: "the disk quota is used up",
};

/** The error of one tool: what the file system refuses is told as such; a bug is thrown on. */
export function asToolError(error: unknown, root: string): ProvisionError {
  if (error instanceof ProvisionError) return error;
  const { code = "", path = root } = error as NodeJS.ErrnoException;
  if (reasons[code] === undefined) throw error;
  return unwritable(path, code, error);
}

/** The error of a place that cannot be written to. */
export function unwritable(path: string, code: string, cause: unknown): ProvisionError {
  return new ProvisionError("PREFIX_UNWRITABLE", { path, reason: reasons[code] ?? code }, { cause });
}
