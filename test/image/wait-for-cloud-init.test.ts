import { expect, it } from "vitest";

import { cloudInitComplaints } from "../../src/provisioner/image/wait-for-cloud-init.ts";

// As Debian 13's cloud-init 25.1 writes them.
const fine = '{"v1": {"datasource": "DataSourceNoCloud [seed=/dev/vdb]", "errors": []}}';
const stages = (recoverable: object) =>
  JSON.stringify({
    v1: { stage: null, init: { errors: [], finished: 8.1, recoverable_errors: recoverable, start: 7 } },
  });

it.each([
  ["nothing when all went well", fine, stages({}), []],
  [
    "the errors of the run",
    '{"v1": {"errors": ["users-groups failed"]}}',
    stages({}),
    ["users-groups failed"],
  ],
  ["recoverable errors of a stage", fine, stages({ WARNING: ["Invalid schema"] }), ["Invalid schema"]],
  ["nothing when an older cloud-init has no stages file", fine, undefined, []],
])("finds %s", (_, result, status, complaints) => {
  expect(cloudInitComplaints(result, status)).toEqual(complaints);
});
