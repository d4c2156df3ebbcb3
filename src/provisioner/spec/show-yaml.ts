import { stringify } from "yaml";

/** A value as YAML, one line for each text that is one. */
export function showYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0 });
}
