"""Coverage-guided fuzzing of whatever reads what others wrote: ``python -m tests.torture.fuzz TARGET SECONDS``.

The tests say what has to hold, hypothesis makes inputs of the fuzzer's bytes, and atheris (``pip
install --group fuzz``, CPython 3.11 to 3.13 on Linux) looks for bytes that reach more of our code. An input that breaks
a test is written to the current folder, and its traceback printed.
"""

import sys

import atheris

with atheris.instrument_imports(include=["asyncconsole"]):
    from tests.model import test_records
    from tests.torture import test_fuzzing

TARGETS = {
    "telnet": test_fuzzing.test_a_telnet_client_may_send_anything,
    "line": test_fuzzing.test_a_line_may_be_anything,
    "wire": test_fuzzing.test_the_wire_may_carry_anything,
    "inbox": test_fuzzing.test_lines_that_wait_are_kept_in_order_and_bounded,
    "dump": test_records.test_damaged_lines_are_refused_and_nothing_else,
}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in TARGETS or not sys.argv[2].isdecimal():
        sys.exit(f"usage: python -m tests.torture.fuzz {{{','.join(TARGETS)}}} SECONDS")
    _, target, seconds = sys.argv
    options = [sys.argv[0], f"-max_total_time={seconds}", "-max_len=4096", "-print_final_stats=1"]
    atheris.Setup(options, TARGETS[target].hypothesis.fuzz_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
