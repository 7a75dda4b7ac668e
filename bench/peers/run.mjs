// Makes empty jobs and works on them, with one of two queues on PostgreSQL; prints how long each half took.
//
//   node run.mjs graphile-worker|pg-boss DATABASE_URL JOBS WORKERS
//
// Both are used by their public API, one job at a time and never in batches: so many loops make jobs, then so many workers
// take one, do nothing, and finish it. Neither may log. graphile-worker has a runner that does that, without delay while
// there are jobs. The workers of pg-boss wait between two fetches (0.5 s at least) unless they fetch in batches, so the
// loop of fetch and complete that its manual gives for own workers is used instead.

const [which, url, jobs, workers] = [process.argv[2], process.argv[3], +process.argv[4], +process.argv[5]];

async function graphileWorker() {
  const { Logger, makeWorkerUtils, run, runMigrations } = await import("graphile-worker");
  const options = { connectionString: url, logger: new Logger(() => () => {}) };
  await runMigrations(options);
  const utils = await makeWorkerUtils({ ...options, maxPoolSize: workers });
  const enqueue = await timed(() => loops(() => utils.addJob("empty", {})));
  await utils.release();
  let left = jobs;
  let last;
  const done = new Promise((resolve) => (last = resolve));
  const work = await timed(async () => {
    const events = new (await import("node:events")).EventEmitter();
    events.on("job:complete", () => --left === 0 && last());
    // One connection a worker, one to listen.
    const pool = { concurrency: workers, maxPoolSize: workers + 1, noHandleSignals: true };
    const runner = await run({ ...options, ...pool, events, taskList: { empty: async () => {} } });
    await done;
    await runner.stop();
  });
  return { enqueue, work };
}

async function pgBoss() {
  const { PgBoss } = await import("pg-boss");
  const boss = new PgBoss({ connectionString: url, max: workers });
  boss.on("error", (error) => console.error(error));
  await boss.start();
  await boss.createQueue("empty");
  const enqueue = await timed(() => loops(() => boss.send("empty", {})));
  const work = await timed(() =>
    loops(async () => {
      const [job] = await boss.fetch("empty");
      await boss.complete("empty", job.id);
    }),
  );
  await boss.stop();
  return { enqueue, work };
}

async function loops(step) {
  let left = jobs;
  const loop = async () => {
    while (left-- > 0) await step();
  };
  await Promise.all(Array.from({ length: workers }, loop));
}

async function timed(step) {
  const start = performance.now();
  await step();
  return (performance.now() - start) / 1000;
}

const peers = { "graphile-worker": graphileWorker, "pg-boss": pgBoss };
console.log(JSON.stringify(await peers[which]()));
