// A plain node-opcua client: looks at everything below one object of a server, then listens.
//
//   node client.mjs '{"url": "opc.tcp://...", "folder": "...", "start": "DeviceSet", ...}'
//
//   url               of the server
//   folder            where the client keeps its certificates; made when it is not there
//   start             name of an object below Objects
//   watch             variables whose changes to tell: paths of browse names below `start`
//   source, event     whose events to tell: path of an object, name of an event type
//   user, password    to log in with; the channel is then signed and encrypted
//
// Prints one JSON object a line: every node below `start`, every value, "listening", and then what
// the subscription brings; "complaint" is whatever node-opcua warns of. Ends when its standard
// input does.

import { OPCUACertificateManager } from "node-opcua-certificate-manager";
import {
  AttributeIds,
  BrowseDirection,
  DataType,
  NodeClass,
  OPCUAClient,
  TimestampsToReturn,
  UserTokenType,
  VariantArrayType,
  browseAll,
  constructEventFilter,
  findBasicDataType,
  ofType,
  setErrorLogger,
  setWarningLogger,
} from "node-opcua-client";

const VARIABLE = ["Value", "DataType", "ValueRank", "AccessLevel", "UserAccessLevel"];
const PATIENT = { samplingInterval: 0, queueSize: 100, discardOldest: true };

const say = (line) => console.log(JSON.stringify(line));
const complain = (text) => say({ is: "complaint", text });
setWarningLogger((_context, ...words) => complain(words.join(" ")));
setErrorLogger((_context, ...words) => complain(words.join(" ")));

const { url, folder, start, watch, source, event, user, password } = JSON.parse(
  process.argv[2],
);
const lastWord = new Promise((resolve) => process.stdin.resume().once("end", resolve));

const store = new OPCUACertificateManager({
  rootFolder: folder,
  automaticallyAcceptUnknownCertificate: true,
});
await store.initialize();
const client = OPCUAClient.create({
  clientCertificateManager: store,
  connectionStrategy: { maxRetry: 0 },
  endpointMustExist: false,
  ...(user ? { securityMode: "SignAndEncrypt", securityPolicy: "Basic256Sha256" } : {}),
});
await client.connect(url);
const session = await client.createSession(
  user ? { type: UserTokenType.UserName, userName: user, password } : undefined,
);

const nodes = await everythingBelow(await startingPoint());
for (const { path, nodeClass } of nodes)
  say({ is: "node", path, node_class: NodeClass[nodeClass] });
for (const node of nodes.filter((each) => each.nodeClass === NodeClass.Variable)) await read(node);

const subscription = await session.createSubscription2({
  requestedPublishingInterval: 20,
  requestedLifetimeCount: 1000,
  requestedMaxKeepAliveCount: 50,
  publishingEnabled: true,
});
for (const path of watch) await watchValue(nodes.find((node) => node.path === path));
if (source) await watchEvents(nodes.find((node) => node.path === source));
say({ is: "listening" });

await lastWord;
await subscription.terminate();
await session.close();
await client.disconnect();

// What it looks at

async function startingPoint() {
  const children = await browse("ObjectsFolder", "HierarchicalReferences");
  const found = children.find((child) => child.browseName.name === start);
  if (!found) throw new Error(`the server has no ${start} below Objects`);
  return found.nodeId;
}

async function browse(nodeId, referenceTypeId, browseDirection = BrowseDirection.Forward) {
  const how = { referenceTypeId, browseDirection, includeSubtypes: true, resultMask: 63 };
  const { statusCode, references } = await browseAll(session, { nodeId, ...how });
  if (statusCode.isNotGood()) complain(`${nodeId}: ${referenceTypeId} can't be browsed`);
  return references ?? [];
}

async function everythingBelow(nodeId, above = "") {
  const found = [];
  for (const child of await browse(nodeId, "HierarchicalReferences")) {
    const path = above + child.browseName.name;
    const node = { path, nodeId: child.nodeId, nodeClass: child.nodeClass };
    if (child.nodeClass !== NodeClass.Method && child.typeDefinition.isEmpty())
      complain(`${path} has no type definition`);
    found.push(node, ...(await everythingBelow(child.nodeId, `${path}/`)));
  }
  return found;
}

async function attributes({ path, nodeId }, names) {
  const reads = names.map((name) => ({ nodeId, attributeId: AttributeIds[name] }));
  const answers = await session.read(reads);
  for (const [index, { statusCode }] of answers.entries())
    if (statusCode.isNotGood()) complain(`${path}: ${names[index]} is ${statusCode}`);
  return answers.map((answer) => answer.value);
}

async function read(node) {
  const [value, dataType, rank] = await attributes(node, VARIABLE);
  say({
    is: "value",
    path: node.path,
    type: DataType[value.dataType],
    declared: DataType[await findBasicDataType(session, dataType.value)],
    array: value.arrayType !== VariantArrayType.Scalar,
    rank: rank.value,
    value: plain(value),
  });
}

// What it listens to

async function monitor(nodeId, attributeId, parameters, told) {
  const how = { ...PATIENT, ...parameters };
  const item = await subscription.monitor({ nodeId, attributeId }, how, TimestampsToReturn.Both);
  item.on("err", complain);
  item.on("changed", told);
}

async function watchValue({ path, nodeId }) {
  await monitor(nodeId, AttributeIds.Value, {}, (data) =>
    say({ is: "change", path, value: plain(data.value) }),
  );
}

async function watchEvents({ path, nodeId }) {
  const [notifier] = await attributes({ path, nodeId }, ["EventNotifier"]);
  if (!(notifier.value & 1)) complain(`${path} does not let anyone subscribe to events`);
  const kinds = await browse(nodeId, "GeneratesEvent");
  const kind = kinds.find((each) => each.browseName.name === event);
  const paths = await fields(kind.nodeId);
  const filter = constructEventFilter(paths, ofType(kind.nodeId));
  await monitor(nodeId, AttributeIds.EventNotifier, { filter }, (values) => {
    const named = values.map((value, index) => [written(paths[index]), plain(value)]);
    say({ is: "event", fields: Object.fromEntries(named) });
  });
}

// Every field of an event type, its supertypes' included, as a path of qualified names.
async function fields(type) {
  const inverse = await browse(type, "HasSubtype", BrowseDirection.Inverse);
  const inherited = inverse.length ? await fields(inverse[0].nodeId) : [];
  const known = new Set(inherited.map(written));
  return [...inherited, ...(await below(type)).filter((path) => !known.has(written(path)))];
}

async function below(nodeId) {
  const paths = [];
  for (const child of await browse(nodeId, "Aggregates")) {
    const { namespaceIndex, name } = child.browseName;
    const own = [{ namespaceIndex, name }];
    if (child.nodeClass === NodeClass.Variable) paths.push(own);
    for (const deeper of await below(child.nodeId)) paths.push([...own, ...deeper]);
  }
  return paths;
}

function written(path) {
  return path.map((name) => name.name).join("/");
}

function plain(variant) {
  const { dataType, value, arrayType } = variant;
  if (value === null || value === undefined) return null;
  const one = (each) => {
    switch (dataType) {
      case DataType.UInt64:
      case DataType.Int64:
        return each[0] * 2 ** 32 + each[1];
      case DataType.LocalizedText:
        return each.text;
      case DataType.ByteString:
        return each.toString("hex");
      case DataType.NodeId:
        return each.toString();
      default:
        return each; // JSON knows how
    }
  };
  return arrayType === VariantArrayType.Scalar ? one(value) : Array.from(value, one);
}
