//! Tests of the crate one by one, with one fault switched on.

use crate::find;
use crate::plant::Fault;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// One test function, or one certificate that is to be written again.
pub struct Test {
    binary: PathBuf,
    name: String,
    certificate: Option<PathBuf>,
}

impl Test {
    /// Builds the tests of `work` and lists them.
    pub fn list(work: &Path) -> Result<Vec<Test>, String> {
        let output = Command::new("cargo")
            .args(["test", "--no-run", "--quiet", "--message-format=json"])
            .current_dir(work)
            .stderr(Stdio::inherit())
            .output()
            .map_err(|e| e.to_string())?;
        if !output.status.success() {
            return Err("the tests do not build".to_string());
        }
        let mut tests = Vec::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let Ok(value) = serde_json::from_str::<serde_json::Value>(line) else { continue };
            let Some(binary) = value["executable"].as_str().map(PathBuf::from) else { continue };
            let list = Command::new(&binary).arg("--list").current_dir(work).output().map_err(|e| e.to_string())?;
            let listed = String::from_utf8_lossy(&list.stdout).into_owned();
            for name in listed.lines().filter_map(|line| line.strip_suffix(": test")) {
                let plain = Test { binary: binary.clone(), name: name.to_string(), certificate: None };
                if value["target"]["name"] == "accepted" {
                    let mut found = Vec::new();
                    find(&work.join("certificates"), "cert", &mut found);
                    found.sort();
                    let each = |path| Test { binary: binary.clone(), name: name.to_string(), certificate: Some(path) };
                    tests.extend(found.into_iter().map(each));
                } else {
                    tests.push(plain);
                }
            }
        }
        Ok(tests)
    }

    /// Whether the test passes with `fault` on, within `seconds` of processor time.
    fn passes(&self, work: &Path, seconds: u64, variable: &str, value: &str) -> bool {
        let mut command = Command::new("prlimit");
        command.arg(format!("--cpu={seconds}")).arg("--as=6000000000").arg(&self.binary);
        command.args(["--exact", &self.name, "--test-threads=1", "-q"]).env(variable, value).current_dir(work);
        command.env("PROPTEST_FAILURE_PERSISTENCE", "off").env("RUST_BACKTRACE", "0");
        if let Some(path) = &self.certificate {
            command.env("SUPREMUM_CERTIFICATE", path);
        }
        command.env("SUPREMUM_CERTIFICATES", work.join("certificates"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    fn title(&self) -> String {
        let binary = self.binary.file_name().unwrap_or_default().to_string_lossy();
        let binary = binary.rsplit_once('-').map_or(binary.as_ref(), |(name, _)| name).to_string();
        match &self.certificate {
            Some(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            None => format!("{binary} {}", self.name),
        }
    }
}

/// What a test reaches, and how long it takes, with all faults off.
struct Reach {
    test: usize,
    time: Duration,
    faults: HashSet<usize>,
}

fn reach(work: &Path, test: &Test, index: usize) -> Result<Reach, String> {
    let file = std::env::temp_dir().join(format!("supremum-reach-{}-{index}", std::process::id()));
    let start = Instant::now();
    let passes = test.passes(work, 600, "SUPREMUM_REACHED", &file.display().to_string());
    let time = start.elapsed();
    let text = fs::read_to_string(&file).unwrap_or_default();
    let _ = fs::remove_file(&file);
    if !passes {
        return Err(format!("fails without a fault: {}", test.title()));
    }
    Ok(Reach { test: index, time, faults: text.lines().filter_map(|line| line.parse().ok()).collect() })
}

/// Does `work(i)` for `i < count` on `jobs` threads.
fn each(jobs: usize, count: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= count {
                        break;
                    }
                    work(i);
                }
            });
        }
    });
}

/// Options of a run.
pub struct Asked<'o> {
    pub jobs: usize,
    /// What the line of a fault must contain.
    pub only: &'o str,
    /// Tests that take longer are not run.
    pub longest: Duration,
}

pub fn hunt(
    work: &Path,
    faults: &[Fault],
    left_out: &HashSet<usize>,
    tests: &[Test],
    asked: &Asked,
) -> Result<(), String> {
    let Asked { jobs, only, longest } = *asked;
    println!("{} tests: what they reach", tests.len());
    let found = Mutex::new(Vec::new());
    each(jobs, tests.len(), |i| found.lock().expect("no panic").push(reach(work, &tests[i], i)));
    let mut reaches = Vec::new();
    for reached in found.into_inner().expect("no panic") {
        match reached {
            Ok(reach) => reaches.push(reach),
            Err(problem) => println!("{problem}; it is not used"),
        }
    }
    reaches.sort_by_key(|reach| (reach.time, reach.test));
    for slow in reaches.iter().filter(|reach| reach.time > longest) {
        println!("{:6.2} s, not used: {}", slow.time.as_secs_f64(), tests[slow.test].title());
    }
    reaches.retain(|reach| reach.time <= longest);
    let total: Duration = reaches.iter().map(|reach| reach.time).sum();
    println!("{} tests take {:.0} s", reaches.len(), total.as_secs_f64());

    let record = work.join("faults.txt");
    let before = fs::read_to_string(&record).unwrap_or_default();
    let known: HashSet<&str> = before.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let mut open: Vec<&Fault> = faults
        .iter()
        .filter(|fault| !left_out.contains(&fault.number) && !known.contains(fault.number.to_string().as_str()))
        .filter(|fault| line(fault, "").contains(only))
        .collect();
    // A run that is stopped has seen a fair sample: the order is the numbers' times a large odd constant.
    open.sort_by_key(|fault| (fault.number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    println!("{} faults to try", open.len());
    let file = fs::OpenOptions::new().append(true).create(true).open(&record).map_err(|e| e.to_string())?;
    let log = Mutex::new((file, HashMap::<&str, usize>::new(), Instant::now()));
    each(jobs, open.len(), |i| {
        let fault = open[i];
        let reaching: Vec<&Reach> = reaches.iter().filter(|reach| reach.faults.contains(&fault.number)).collect();
        let killer = reaching.iter().find(|reach| {
            let seconds = 5 + 10 * reach.time.as_secs();
            !tests[reach.test].passes(work, seconds, "SUPREMUM_FAULT", &fault.number.to_string())
        });
        let (kind, outcome) = match killer {
            Some(reach) => ("killed", format!("killed by {}", tests[reach.test].title())),
            None if reaching.is_empty() => ("unreached", "UNREACHED".to_string()),
            None => ("survived", format!("SURVIVED {} tests", reaching.len())),
        };
        let mut log = log.lock().expect("no panic");
        // One line at once: what a stop leaves behind is whole.
        let _ = log.0.write_all(line(fault, &outcome).as_bytes());
        *log.1.entry(kind).or_default() += 1;
        let done: usize = log.1.values().sum();
        if done.is_multiple_of(50) {
            println!("{done}/{} in {:.0} s: {:?}", open.len(), log.2.elapsed().as_secs_f64(), log.1);
        }
    });
    println!("{:?}", log.into_inner().expect("no panic").1);
    Ok(())
}

fn line(fault: &Fault, outcome: &str) -> String {
    let Fault { number, file, line, function, what } = fault;
    format!("{number} {file}:{line} {function}: {what} -- {outcome}\n")
}
