import { type PinnedTool, Refusal, type ToolPin } from "../../../provisioner/core/task.ts";

/** The pin for a machine; where there is none yet, it is what images are built for. */
export function pinFor({ name, pins }: PinnedTool, machine = "x86_64"): ToolPin {
  const pin = Object.entries(pins).find(([architecture]) => architecture === machine)?.[1];
  if (pin) return pin;
  const known = Object.keys(pins).join(" and ");
  throw new Refusal(
    `versions.yaml must pin ${name} for ${machine}, pins it for ${known}; add its digest under tools.${name}.sha256`,
  );
}
