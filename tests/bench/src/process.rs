//! Child processes of the measurements: start, CPU time, memory.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

use crate::Error;
use crate::table::{Target, median};

/// A server that is stopped when it is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to the line that says that it is ready.
    pub(crate) start: Duration,
}

impl Process {
    /// Starts a program which prints its address in its first line, as `127.0.0.1:PORT` somewhere in it.
    pub(crate) fn start(command: &mut Command) -> Result<Self, Error> {
        let begun = Instant::now();
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let start = begun.elapsed();
        let address = line
            .split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':'))
            .find_map(|word| word.trim_matches([':', '.']).parse().ok())
            .ok_or_else(|| format!("no address in the first line: {line:?}"))?;
        Ok(Self { child, address, start })
    }

    /// CPU time used so far by the process, user and system, in steps of 10 ms.
    pub(crate) fn cpu_time(&self) -> Result<Duration, Error> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The second field is the program's name in parentheses and may hold spaces.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
        Ok(Duration::from_millis(10 * (ticks(11) + ticks(12))))
    }

    /// Resident memory in MiB.
    pub(crate) fn memory(&self) -> Result<f64, Error> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kilobytes: f64 = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|value| value.trim().trim_end_matches(" kB").parse().ok())
            .ok_or("no VmRSS")?;
        Ok(kilobytes / 1024.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A process that is killed writes no profile, so it is asked to end.
        let _asked = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// How long a process that was asked to end may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Keeps this thread, and the processes and threads it starts from now on, on one of the cores it may use, or on any of them again.
/// With a single core there is nothing to choose.
pub(crate) fn stay_on(core: Core) -> Result<(), Error> {
    let all = CORES.get_or_init(|| sched_getaffinity(None).ok());
    let Some(all) = all else { return Err("the cores of this process are not known".into()) };
    let mut usable = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core));
    let chosen = match core {
        Core::First => usable.next(),
        Core::Last => usable.next_back(),
        Core::Any => return Ok(sched_setaffinity(None, all)?),
    };
    let mut set = CpuSet::new();
    set.set(chosen.ok_or("there is no core")?);
    Ok(sched_setaffinity(None, &set)?)
}

/// The time which this thread has had a core for, in the kernel and outside of it.
pub(crate) fn thread_time() -> Result<Duration, Error> {
    Ok(clock_gettime(ClockId::ThreadCPUTime).try_into()?)
}

/// Which of the cores.
#[derive(Clone, Copy)]
pub(crate) enum Core {
    First,
    Last,
    Any,
}

/// Those that this process could use before it chose one.
static CORES: OnceLock<Option<CpuSet>> = OnceLock::new();

/// This program, for a server that it also is.
pub(crate) fn own(arguments: &[&str]) -> Result<Command, Error> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments);
    Ok(command)
}

/// `zato-server` beside this program.
fn server(data_dir: &Path) -> Result<Command, Error> {
    let path: PathBuf = std::env::current_exe()?.with_file_name("zato-server");
    let mut command = Command::new(path);
    command.arg("--data-dir").arg(data_dir).args(["--http", "127.0.0.1:0", "--log", "warn"]);
    Ok(command)
}

/// Time from process start to the first accepted call, and memory when idle, with SQLite.
pub(crate) fn measure_start() -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let first = Process::start(&mut server(folder.path())?)?.start;
    let mut starts = Vec::new();
    let mut memory = Vec::new();
    for _ in 0..5 {
        let process = Process::start(&mut server(folder.path())?)?;
        starts.push(process.start.as_secs_f64() * 1000.0);
        memory.push(process.memory()?);
    }
    println!("first start {:.0} ms", first.as_secs_f64() * 1000.0);
    println!("start with an existing database, ms {}", Target::AtMost(150.0).show(median(&mut starts)));
    println!("idle memory, MiB                    {}\n", Target::AtMost(30.0).show(median(&mut memory)));
    Ok(())
}
