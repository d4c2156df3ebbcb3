import {
  type Action,
  type Change,
  defineTask,
  differences,
  digestOf,
  write,
} from "../../provisioner/core/task.ts";
import { planSecretFile } from "../scripts/secret-file.ts";
import {
  maybeDigest,
  planAtBoot,
  planDown,
  planDropIn,
  planGone,
  planRunning,
  reload,
  stampFile,
  stampText,
} from "../scripts/service.ts";
import { files, STAMP, UNIT } from "./files.ts";
import { type Params, schema } from "./schema.ts";
import { checkText } from "./scripts.ts";
import { programThere, readState, type State } from "./state.ts";
import { dropInText } from "./texts.ts";

/**
 * What a fluent-bit that is there reads and where it delivers to. It reads the new settings itself before they take the
 * place of the old ones. Secrets reach it as variables, from a file of root's: its configuration holds none.
 */
export const fluentBit = defineTask({
  name: "fluent-bit",
  summary: "Logs of the machine by a fluent-bit that is there: what it reads and where it delivers to.",
  schema,
  examples: [
    {
      title: "The journal to a Loki at home, and what programs of others send to a file",
      params: {
        inputs: [
          { name: "systemd", tag: "journal", properties: { db: "/var/lib/fluent-bit/journal.db" } },
          { name: "forward", tag: "programs", properties: { listen: "127.0.0.1" } },
        ],
        outputs: [
          {
            name: "loki",
            match: "journal",
            properties: {
              host: "logs.example.org",
              labels: "job=fluentbit, host=${HOSTNAME}",
              http_user: "web1",
              http_passwd: "${LOKI_PASSWORD}",
              tls: true,
            },
          },
          { name: "file", match: "programs", properties: { path: "/var/lib/fluent-bit" } },
        ],
        secrets: { LOKI_PASSWORD: { command: ["pass", "show", "loki"] } },
      },
      trial: {
        given: [
          { "apt-repository": { name: "fluent-bit", pinned: "fluent-bit" } },
          { apt: { present: ["fluent-bit"] } },
        ],
      },
    },
  ],

  subject: () => UNIT,

  owns: () => [files.settings, files.secrets, files.dropIn],

  read: readState,

  plan(params, state) {
    if (params.state === "absent") return planAbsent(state);
    const program = programThere(state);
    return [
      ...planSettings(params, state, program),
      ...planSecrets(state),
      ...planDropIn(
        UNIT,
        { path: files.dropIn, found: state.dropIn, wanted: wantedDropIn(state, program) },
        state.unit,
      ),
      ...planAtBoot(UNIT, state.unit),
      ...planUp(params, state, program),
      // Last: until then it may still be started with them.
      ...planGone(files.secrets, state.secrets.text === undefined && state.secrets.found !== undefined),
    ];
  },
});

function wantedDropIn({ secrets }: State, program: string): string {
  return dropInText(program, secrets.text !== undefined);
}

const directory: Action = { kind: "directory", path: files.directory };

function planSettings({ secrets = {} }: Params, { settings }: State, program: string): readonly Change[] {
  const { found, wanted } = settings;
  return differences({
    what: files.settings,
    from: found,
    to: wanted,
    actions: [checkText(program, wanted, Object.keys(secrets)), directory, write(files.settings, wanted)],
  });
}

function planSecrets({ secrets }: State): readonly Change[] {
  if (secrets.text === undefined) return [];
  const attributes = { mode: "0600", owner: "root", group: "root" };
  return planSecretFile(secrets, { attributes, directory, to: "the secrets" });
}

function planUp({ restartOn = [] }: Params, state: State, program: string): readonly Change[] {
  const { unit, settings, secrets, stamp, digests } = state;
  const wanted = stampText({
    [files.settings]: digestOf(settings.wanted),
    [files.dropIn]: digestOf(wantedDropIn(state, program)),
    ...(secrets.text !== undefined && { [files.secrets]: maybeDigest(secrets.text) }),
    ...Object.fromEntries(restartOn.map((path, at) => [path, digests[at]])),
  });
  return planRunning({
    unit: UNIT,
    state: unit,
    stamp: { name: STAMP, found: stamp, wanted },
    // Much of what is wrong with an output shows only when it is opened.
    steadySeconds: 5,
  });
}

function planAbsent({ unit, settings, secrets, dropIn, stamp }: State): readonly Change[] {
  return [
    ...(unit.load === "not-found" ? [] : planDown(UNIT, unit)),
    ...planGone(files.dropIn, dropIn !== undefined, reload),
    ...planGone(files.settings, settings.found !== undefined),
    ...planGone(files.secrets, secrets.found !== undefined),
    ...planGone(stampFile(STAMP), stamp !== undefined),
  ];
}
