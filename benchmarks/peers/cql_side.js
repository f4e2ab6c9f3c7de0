// The five definitions by cql-execution with cql-exec-fhir: the reference engine, over one bundle per person.
// CQL is translated to ELM by a Java program; five definitions are few enough to be written as ELM here.
//
//     node cql_side.js FOLDER DEFINITIONS MODULES
//
// Answers once. Before, the engine warms up on five persons.

const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');

const [folder, definitionsFile, modules] = process.argv.slice(2);
const load = createRequire(path.join(modules, 'package.json'));
const cql = load('cql-execution');
const fhir = load('cql-exec-fhir');
const definitions = JSON.parse(fs.readFileSync(definitionsFile, 'utf8'));
const FHIR = '{http://hl7.org/fhir}';

function elm() {
  const systems = [...new Set(definitions.flatMap((d) => d.codes.map(([system]) => system)))];
  const property = (scope, of) => ({ type: 'Property', path: of, scope });
  const literal = (type, value) => ({ type: 'Literal', valueType: `{urn:hl7-org:elm-types:r1}${type}`, value: String(value) });
  const defined = definitions.map((d) => {
    const retrieve = {
      type: 'Retrieve',
      dataType: FHIR + d.resource,
      codeProperty: 'code',
      codeComparator: '~',
      codes: {
        type: 'List',
        element: d.codes.map(([system, code]) => ({ type: 'Code', code, system: { name: `S${systems.indexOf(system)}` } })),
      },
    };
    let asked = retrieve;
    if ('below' in d || 'flag' in d) {
      const where =
        'below' in d
          ? { type: 'Less', operand: [property('R', 'value.value.value'), literal('Decimal', d.below)] }
          : {
              type: 'Exists',
              operand: {
                type: 'Query',
                source: [{ alias: 'I', expression: property('R', 'interpretation') }],
                relationship: [],
                where: {
                  type: 'Exists',
                  operand: {
                    type: 'Query',
                    source: [{ alias: 'C', expression: property('I', 'coding') }],
                    relationship: [],
                    where: { type: 'Equal', operand: [property('C', 'code.value'), literal('String', d.flag)] },
                  },
                },
              },
            };
      asked = { type: 'Query', source: [{ alias: 'R', expression: retrieve }], relationship: [], where };
    }
    return { name: d.name, context: 'Patient', accessLevel: 'Public', expression: { type: 'Exists', operand: asked } };
  });
  return {
    library: {
      identifier: { id: 'Five', version: '1.0.0' },
      schemaIdentifier: { id: 'urn:hl7-org:elm', version: 'r1' },
      usings: {
        def: [
          { localIdentifier: 'System', uri: 'urn:hl7-org:elm-types:r1' },
          { localIdentifier: 'FHIR', uri: 'http://hl7.org/fhir', version: '4.0.1' },
        ],
      },
      codeSystems: { def: systems.map((id, n) => ({ name: `S${n}`, id, accessLevel: 'Public' })) },
      statements: {
        def: [
          {
            name: 'Patient',
            context: 'Patient',
            expression: { type: 'SingletonFrom', operand: { type: 'Retrieve', dataType: `${FHIR}Patient` } },
          },
          ...defined,
        ],
      },
    },
  };
}

function bundles() {
  const byPerson = new Map();
  for (const kind of ['Patient', ...new Set(definitions.map((d) => d.resource))]) {
    for (const line of fs.readFileSync(path.join(folder, `${kind}.ndjson`), 'utf8').split('\n')) {
      if (!line) continue;
      const resource = JSON.parse(line);
      const person = kind === 'Patient' ? resource.id : resource.subject.reference.replace('Patient/', '');
      if (!byPerson.has(person)) byPerson.set(person, { resourceType: 'Bundle', type: 'collection', entry: [] });
      byPerson.get(person).entry.push({ resource });
    }
  }
  return [...byPerson.values()];
}

async function evaluate(library, persons) {
  const source = fhir.PatientSource.FHIRv401();
  source.loadBundles(persons);
  const results = await new cql.Executor(library).exec(source);
  return Object.fromEntries(
    definitions.map((d) => [
      d.name,
      Object.keys(results.patientResults).filter((person) => results.patientResults[person][d.name]).sort(),
    ]),
  );
}

async function main() {
  const library = new cql.Library(elm());
  await evaluate(library, bundles().slice(0, 5));
  const begin = process.hrtime.bigint();
  const answers = await evaluate(library, bundles());
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  const named = ['cql-execution', 'cql-exec-fhir'].map((name) => {
    const facts = JSON.parse(fs.readFileSync(path.join(modules, 'node_modules', name, 'package.json'), 'utf8'));
    return `${name} ${facts.version}`;
  });
  console.log(JSON.stringify({ version: `${named.join(', ')}, node ${process.version}`, seconds: [seconds], answers }));
}

main();
