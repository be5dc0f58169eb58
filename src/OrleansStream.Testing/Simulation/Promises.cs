namespace OrleansStream.Testing.Simulation;

/// <summary>What each checker holds a run to, in words.</summary>
internal static class Promises
{
    public static string Of(string checker) => checker switch
    {
        "sealed" => "a sealed attempt writes nothing more, and only its sealer begins the next one, from the newest publication",
        "objects" => "what a checkpoint names is durable when it is published, and is there as long as it is kept",
        "permit" => "only output that a published checkpoint names becomes visible, and none of an attempt that another has followed",
        "recovery" => "output that a checkpoint names is visible before an attempt goes on from it",
        "rescale" => "a job that was rescaled keeps its parallelism through every later attempt, until another is asked for",
        "output" => "output is committed once, and whole",
        "cut" => "a checkpoint holds the effect of exactly the records before its offsets",
        "sequence" => "records of a channel are processed in the order sent, each exactly once",
        "watermark" => "a watermark never goes back",
        "liveness" => "a job whose input ends comes to its end once nothing goes wrong any more",
        "stall" => "nobody waits for what does not come: a sender hears what its receiver has processed, and a checkpoint ends once nothing goes wrong any more",
        "job" => "a job does not fail for good while its restart strategy has attempts left",
        "leftovers" => "nothing of a finished job stays open",
        "escape" => "all that a job waits for is simulated: no threads, clocks or I/O of its own",
        _ => "the engine's own invariants hold",
    };
}
