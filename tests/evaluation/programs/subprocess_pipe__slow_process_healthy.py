"""One process is slow and its output is read as it comes, another is waited for and says nothing."""

import asyncio
import sys

EXPECT = {"healthy": True, "like": "subprocess_pipe"}

SLOW = "import time\nfor n in range(80): print('frame', n, flush=True); time.sleep(1)"
SILENT = "import sys; sys.stdin.read()"


async def start(source):
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", source,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def encode():
    process = await start(SLOW)
    async for line in process.stdout:
        assert line.startswith(b"frame")
    return await process.wait()


async def convert():
    process = await start(SLOW)
    output, _ = await process.communicate()
    return output


async def serve():
    process = await start(SILENT)
    return await process.wait()


async def main():
    jobs = [
        asyncio.create_task(encode(), name="encode"),
        asyncio.create_task(convert(), name="convert"),
        asyncio.create_task(serve(), name="preview-server"),
    ]
    await asyncio.sleep(1)
    print("READY", flush=True)
    await asyncio.gather(*jobs)


if __name__ == "__main__":
    asyncio.run(main())
