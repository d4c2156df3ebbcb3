import type { FactRequest } from "../../core/facts.ts";
import { digest } from "./digest.ts";
import { file } from "./file.ts";
import { group } from "./group.ts";
import { module } from "./module.ts";
import { mount } from "./mount.ts";
import { packageReader } from "./package.ts";
import { query } from "./query.ts";
import type { Reader } from "./reader.ts";
import { stat } from "./stat.ts";
import { sysctl } from "./sysctl.ts";
import { unit } from "./unit.ts";
import { user } from "./user.ts";

/** The reader of each kind of fact. */
export const readers: {
  readonly [Kind in FactRequest["kind"]]: Reader<Extract<FactRequest, { readonly kind: Kind }>["about"]>;
} = {
  digest,
  file,
  group,
  module,
  mount,
  package: packageReader,
  query,
  stat,
  sysctl,
  unit,
  user,
};
