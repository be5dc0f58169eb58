using OrleansStream.Stages;

namespace OrleansStream.Testing.Simulation;

/// <summary>
/// Calls between activations, as bad as Orleans' at their worst: requests and replies are delayed, so they overtake each other, and are lost; a request may be delivered twice; the caller
/// gives up after a while and the call may still be carried out.
/// </summary>
internal sealed class Network(SimulatedRun run)
{
    public static readonly TimeSpan ShortTimeout = TimeSpan.FromMilliseconds(60);
    public static readonly TimeSpan LongTimeout = TimeSpan.FromMilliseconds(400);

    /// <summary>Calls what <paramref name="find"/> finds on a silo when the request arrives there.</summary>
    public async Task<T> CallAsync<T, TActivation>(Silo from, string to, TimeSpan timeout, Func<Silo, TActivation> find, Func<TActivation, Task<T>> call)
        where TActivation : Activation
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        run.Scheduler.After(timeout, () => answer.TrySetException(new TimeoutException($"No reply from {to} within {timeout.TotalMilliseconds} ms.")));
        var isNear = from.Name == to;
        var losses = run.Weather.LossRate * (isNear ? 0.3 : 1);
        if (!run.Weather.Strikes(losses)) Send(from, to, isNear, losses, find, call, answer);
        if (run.Weather.Strikes(run.Weather.RepeatRate)) Send(from, to, isNear, losses, find, call, answer);
        return await answer.Task;
    }

    private void Send<T, TActivation>(
        Silo from, string to, bool isNear, double losses, Func<Silo, TActivation> find, Func<TActivation, Task<T>> call, TaskCompletionSource<T> answer)
        where TActivation : Activation
    {
        run.Scheduler.After(Delay(isNear), () =>
        {
            var silo = run.Silo(to);
            if (!silo.IsAlive)
            {
                run.Scheduler.After(Delay(isNear), () => answer.TrySetException(run.Members.Contains(to) ? new SiloDied(to) : new GoneException($"Silo {to} is not in the cluster any more.")));
                return;
            }

            var activation = find(silo);
            activation.Actor.Run(() => _ = PerformAsync(activation));
        });

        async Task PerformAsync(TActivation activation)
        {
            Action reply;
            try
            {
                var result = await call(activation);
                reply = () => answer.TrySetResult(result);
            }
            catch (Exception error)
            {
                reply = () => answer.TrySetException(error);
            }

            if (from.IsAlive && !run.Weather.Strikes(losses)) run.Scheduler.After(Delay(isNear), reply);
        }
    }

    private TimeSpan Delay(bool isNear) => TimeSpan.FromTicks(
        run.Weather.Strikes(isNear ? run.Weather.SlowRate / 3 : run.Weather.SlowRate) ? run.Random.Next(3_000_000) : run.Random.Next(isNear ? 2_000 : 15_000));
}

/// <summary>A call to a silo that is dead, which the cluster has not noticed yet.</summary>
internal sealed class SiloDied(string silo) : Exception($"The connection to {silo} broke.");
