"""A build step waits for its process to end before it reads the output that the process can't get rid of."""

import asyncio
import sys

EXPECT = {
    "kind": "subprocess_pipe",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["step:lint"],
    "cause": [],
    "bystanders": ["log-tail", "step:watch"],
    "report": "python/cpython#125502",
    "tracked": False,
}

CHATTY = "import sys\nfor n in range(40_000): print(f'src/module_{n}.py: warning: long line')"
QUIET = "import sys; sys.stdin.read()"


async def run_step(source):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", source,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    code = await process.wait()
    output = await process.stdout.read()
    return code, output.decode()


async def tail(lines):
    while True:
        await asyncio.sleep(0.1)
        del lines[:-10]


async def main():
    log = asyncio.create_task(tail([]), name="log-tail")
    steps = [
        asyncio.create_task(run_step(CHATTY), name="step:lint"),
        asyncio.create_task(run_step(QUIET), name="step:watch"),
    ]
    await asyncio.sleep(1.5)
    print("READY", flush=True)
    await asyncio.gather(*steps)
    log.cancel()


if __name__ == "__main__":
    asyncio.run(main())
