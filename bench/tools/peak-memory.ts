import { writeFileSync } from "node:fs";

// Imported before a program by `node --import`: writes down the most memory it held, in KiB.
process.on("exit", () => {
  const file = process.env["PROVISION_BENCH_PEAK"];
  if (file !== undefined) writeFileSync(file, String(process.resourceUsage().maxRSS));
});
