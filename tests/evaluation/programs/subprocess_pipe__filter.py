"""A filter's whole input is written before its output is read; both pipes fill up."""

import asyncio
import sys

EXPECT = {
    "kind": "subprocess_pipe",
    "also": ["mutual_backpressure"],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["formatter"],
    "cause": [],
    "bystanders": ["cursor"],
    "report": "python/asyncio#381",
    "tracked": False,
}

FILTER = "import sys\nfor line in sys.stdin: print(line.upper(), end='', flush=True)"


async def reformat(lines):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FILTER,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    for line in lines:
        process.stdin.write(line)
        await process.stdin.drain()
    process.stdin.close()
    output = await process.stdout.read()
    await process.wait()
    return output


async def blink():
    while True:
        await asyncio.sleep(0.1)


async def main():
    cursor = asyncio.create_task(blink(), name="cursor")
    lines = [b"int main(void) { return 0; }\n" * 50] * 2_000
    formatter = asyncio.create_task(reformat(lines), name="formatter")
    await asyncio.sleep(1.5)
    print("READY", flush=True)
    await formatter
    cursor.cancel()


if __name__ == "__main__":
    asyncio.run(main())
