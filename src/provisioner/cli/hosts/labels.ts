import { ProvisionError } from "../../core/errors.ts";
import type { HostSpec } from "../../spec/host-spec.ts";
import { nearestName } from "../../spec/nearest-name.ts";

interface Limit {
  readonly label: string;
  readonly value: string;
  readonly isWanted: boolean;
}

/** Those of the hosts that fit every limit: `role=server`, `site!=home`. */
export function limitHosts<Host extends { readonly spec: Pick<HostSpec, "labels"> }>(
  hosts: readonly Host[],
  limits: readonly string[],
): readonly Host[] {
  const wanted = limits.map(readLimit);
  const labels = [...new Set(hosts.flatMap(({ spec }) => Object.keys(spec.labels)))].toSorted();
  for (const { label } of wanted) if (!labels.includes(label)) throw unknownLabel(label, labels);
  return hosts.filter(({ spec }) =>
    wanted.every(({ label, value, isWanted }) => (spec.labels[label] === value) === isWanted),
  );
}

function readLimit(text: string): Limit {
  const [, label, not, value] = /^([^=!]+)(!?)=(.+)$/.exec(text) ?? [];
  if (label !== undefined && value !== undefined) return { label, value, isWanted: not === "" };
  throw new ProvisionError("USAGE", {
    what: `Cannot accept --limit: must be label=value or label!=value, is "${text}"`,
    mend: "Write it as in --limit role=server; the labels stand in the hosts' files",
  });
}

function unknownLabel(label: string, labels: readonly string[]): ProvisionError {
  const nearest = nearestName(label, labels);
  const none = "Put labels into the hosts' files, or leave --limit out";
  return new ProvisionError("USAGE", {
    what: `Cannot accept --limit: one host at least must have the label "${label}", none has`,
    mend:
      nearest === undefined
        ? labels.length === 0
          ? none
          : `Name one of: ${labels.join(", ")}`
        : `Name "${nearest}"`,
  });
}
