using OrleansStream.Jobs;

namespace OrleansStream.Testing.Simulation;

/// <summary>Calls to what is outside of the cluster: they take time, fail before or after they were carried out, or are carried out long after the caller gave up.</summary>
internal sealed class Outside(SimulatedRun run)
{
    public async Task<T> CallAsync<T>(string what, Func<T> act, double faultRate, Func<string, StreamException> failure, CancellationToken cancellation)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (cancellation.CanBeCanceled) cancellation.UnsafeRegister(_ => answer.TrySetCanceled(cancellation), null);
        var delay = Delay();
        if (!run.Weather.Strikes(faultRate))
        {
            run.Scheduler.After(delay, () => Act(act, answer));
            return await answer.Task;
        }

        var error = failure($"The simulation did not {what}, or did.");
        switch (run.Random.Next(4))
        {
            case 0: // Not carried out.
                break;
            case 1: // Carried out, and not answered.
                run.Scheduler.After(delay / 2, () => Act(act, null));
                break;
            case 2: // Carried out when the caller knows that it failed.
                run.Scheduler.After(delay + TimeSpan.FromMilliseconds(run.Random.Next(30)), () => Act(act, null));
                break;
            default: // Carried out long afterwards.
                run.Scheduler.After(delay + TimeSpan.FromMilliseconds(run.Random.Next(2000)), () => Act(act, null));
                break;
        }

        run.Scheduler.After(delay, () => answer.TrySetException(error));
        return await answer.Task;
    }

    private void Act<T>(Func<T> act, TaskCompletionSource<T>? answer)
    {
        T result;
        try
        {
            result = act();
        }
        catch (StreamException refused)
        {
            if (answer is not null) run.Scheduler.After(Delay(), () => answer.TrySetException(refused));
            return;
        }

        if (answer is not null) run.Scheduler.After(Delay(), () => answer.TrySetResult(result));
    }

    /// <summary>Mostly short; now and then long.</summary>
    private TimeSpan Delay() => TimeSpan.FromTicks(run.Weather.Strikes(run.Weather.SlowRate) ? run.Random.Next(500_000) : run.Random.Next(100, 8_000));
}
