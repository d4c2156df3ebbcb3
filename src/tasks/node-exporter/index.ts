import {
  type Change,
  defineTask,
  differences,
  digestOf,
  type RunAction,
  write,
} from "../../provisioner/core/task.ts";
import { planSecretFile, type SecretFile } from "../scripts/secret-file.ts";
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
import { type Build, builds, STAMP, webFiles } from "./builds.ts";
import { type Params, schema } from "./schema.ts";
import { proveAnswers } from "./scripts.ts";
import { buildThere, type FoundBuild, readState, type State } from "./state.ts";
import { dropInText, emptySettings, flagsOf, places, settingsText, webWords } from "./texts.ts";

/**
 * What node_exporter serves, where and to whom: on a machine that has it already, ours or Debian's. Its flags stand in
 * the file from which its unit takes them, and that it answers is asked each time.
 */
export const nodeExporter = defineTask({
  name: "node-exporter",
  summary:
    "Metrics of the machine by a node_exporter that is there: where, which, to whom; proved to answer.",
  schema,
  examples: [
    {
      title: "On the inner network alone, by TLS, with the state of units and without that of Wi-Fi",
      params: {
        port: 9100,
        addresses: ["10.77.0.1"],
        collectors: { systemd: true, wifi: false },
        tls: {
          certificate: { file: "~/keys/web1.crt" },
          key: { command: ["pass", "show", "tls/web1"] },
        },
      },
      // A scratch machine has neither that address nor a certificate.
      trial: {
        given: [{ apt: { present: ["prometheus-node-exporter"] } }],
        instead: { port: 9101, addresses: ["127.0.0.1"], collectors: { systemd: true, wifi: false } },
      },
    },
  ],

  subject: () => "node_exporter",

  owns: () => [
    ...builds.flatMap(({ settings, dropIn }) => [settings, ...(dropIn === undefined ? [] : [dropIn])]),
    webFiles.config,
    webFiles.certificate,
    webFiles.key,
  ],

  identity: ({ addresses = [] }) => {
    const own = addresses.find((address) => !/^(127\.|0\.0\.0\.0$|::1?$)/.test(address));
    return own && `the address ${own}`;
  },

  read: readState,

  plan(params, state) {
    if (params.state === "absent") return planAbsent(state);
    const found = buildThere(state);
    return [
      ...planTextfiles(params, state),
      ...state.web.flatMap((file) => planWebFile(params, file, found.build)),
      ...planSettings(params, found),
      ...planAtBoot(found.build.unit, found.unit),
      ...planUp(params, state, found),
      // Last: until then it may still run on them.
      ...state.web.flatMap((file) =>
        planGone(file.path, file.text === undefined && file.found !== undefined),
      ),
    ];
  },
});

function planTextfiles({ textfiles: path }: Params, { textfiles }: State): readonly Change[] {
  if (path === undefined || textfiles !== undefined) return [];
  return [{ what: path, from: undefined, to: "a directory", actions: [{ kind: "directory", path }] }];
}

function planWebFile(params: Params, file: SecretFile, { user }: Build): readonly Change[] {
  if (file.text === undefined) return [];
  return planSecretFile(file, {
    attributes: { mode: "0600", owner: user, group: user },
    directory: { kind: "directory", path: webFiles.directory },
    to: file.path === webFiles.config ? webWords(params) : "the secret",
  });
}

function planSettings(params: Params, { build, unit, settings, dropIn }: FoundBuild): readonly Change[] {
  const flags = flagsOf(params, build);
  const text = settingsText(flags, build);
  return [
    ...differences({
      what: build.settings,
      from: settings,
      to: text,
      // Asked first: with a flag that it does not know it would not start.
      actions: [knows(build, flags), write(build.settings, text)],
    }),
    ...(build.dropIn === undefined
      ? []
      : planDropIn(build.unit, { path: build.dropIn, found: dropIn, wanted: dropInText(build) }, unit)),
  ];
}

/** It reads all of its flags before it tells its version. */
function knows({ program }: Build, flags: readonly string[]): RunAction {
  return { kind: "run", command: { argv: [program, ...flags, "--version"] }, touches: [] };
}

function planUp(params: Params, state: State, { build, unit, settings }: FoundBuild): readonly Change[] {
  const text = settingsText(flagsOf(params, build), build);
  const wanted = stampText({
    [build.settings]: digestOf(text),
    ...(build.dropIn !== undefined && { [build.dropIn]: digestOf(dropInText(build)) }),
    ...Object.fromEntries(
      state.web.filter((file) => file.text !== undefined).map((file) => [file.path, maybeDigest(file.text)]),
    ),
  });
  const isRight = state.answers && settings === text;
  return planRunning({
    unit: build.unit,
    state: unit,
    // One that runs and does not answer is none.
    stamp: { name: STAMP, found: isRight ? state.stamp : undefined, wanted },
    // One whose port somebody else has ends at once.
    steadySeconds: 2,
    prove: [proveAnswers(places(params))],
  });
}

function planAbsent(state: State): readonly Change[] {
  const there = state.found.filter(({ unit }) => unit.load !== "not-found");
  return [
    ...there.flatMap(({ build, unit }) => planDown(build.unit, unit)),
    ...state.found.flatMap(({ build, settings, dropIn }) => [
      ...(build.dropIn === undefined
        ? planReset(build, settings)
        : planGone(build.settings, settings !== undefined)),
      ...(build.dropIn === undefined ? [] : planGone(build.dropIn, dropIn !== undefined, reload)),
    ]),
    ...state.web.flatMap(({ path, found }) => planGone(path, found !== undefined)),
    ...planGone(stampFile(STAMP), state.stamp !== undefined),
  ];
}

function planReset(build: Build, settings: string | undefined): readonly Change[] {
  if (settings === undefined || !settings.startsWith("# By provision;")) return [];
  const text = emptySettings(build);
  return [{ what: build.settings, from: settings, to: text, actions: [write(build.settings, text)] }];
}
