import type { Static } from "typebox";

import { Type } from "../../provisioner/core/schema.ts";
import { absolutePath, presentOrAbsent, secretOf } from "../../provisioner/core/task.ts";

/** IPv4 or IPv6, without brackets. */
const address = "^(([0-9]{1,3}\\.){3}[0-9]{1,3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)$";

/** A flag with its value; not one of those that parameters stand for. */
const flag =
  "^--(?!web\\.(listen-address|config\\.file)\\b|collector\\.textfile\\.directory\\b)[a-z][a-z0-9_.-]*(=[^\\u0000-\\u001f\\u007f]*)?$";

const reader = Type.Object(
  {
    name: Type.String({ pattern: "^[a-zA-Z0-9_.-]+$", description: "Name to log in by" }),
    passwordHash: secretOf("bcrypt hash of the password, as `mkpasswd -m bcrypt` prints it"),
  },
  { additionalProperties: false },
);

/** What a use may say. */
export const schema = Type.Object(
  {
    port: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65535, default: 9100, description: "TCP port it serves on" }),
    ),
    addresses: Type.Optional(
      Type.Array(Type.String({ pattern: address }), {
        minItems: 1,
        uniqueItems: true,
        description: "Its own addresses that it serves on; left out: all of them",
      }),
    ),
    collectors: Type.Optional(
      Type.Record(Type.String({ pattern: "^[a-z][a-z0-9_]*$" }), Type.Boolean(), {
        additionalProperties: false,
        description:
          "Collectors to switch on or off, by name: `systemd: true`; those not named are as its makers chose",
      }),
    ),
    textfiles: Type.Optional(
      Type.String({
        pattern: absolutePath,
        description: "Directory whose *.prom files it serves too; left out: the one its unit was made with",
      }),
    ),
    options: Type.Optional(
      Type.Array(Type.String({ pattern: flag }), {
        uniqueItems: true,
        description: "Further flags as its --help has them: --collector.filesystem.fs-types-exclude=^tmpfs$",
      }),
    ),
    tls: Type.Optional(
      Type.Object(
        {
          certificate: secretOf("Certificate with its chain, in PEM"),
          key: secretOf("Its private key, in PEM"),
        },
        { additionalProperties: false, description: "Serve by TLS alone" },
      ),
    ),
    readers: Type.Optional(
      Type.Array(reader, {
        minItems: 1,
        description: "Who may read, by name and password; left out: everybody",
      }),
    ),
    state: presentOrAbsent("absent: it does not run, not at boot either, and these settings are gone"),
  },
  { additionalProperties: false },
);

/** A use's parameters. */
export type Params = Static<typeof schema>;
