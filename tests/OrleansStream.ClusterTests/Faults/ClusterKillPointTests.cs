using OrleansStream.ClusterTests.Cluster;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>
/// A silo of three dies at a named point, and the others go on to the output of an unbroken run. Here are the points at which most is half done; <c>tests/cluster-faults.sh</c> goes through all.
/// </summary>
public sealed class ClusterKillPointTests(Garnet garnet)
{
    [Theory]
    [InlineData("published")]
    [InlineData("pending-committed")]
    [InlineData("rescale-partly-restored")]
    [InlineData("hand-over-begun")]
    public async Task A_job_goes_on_where_a_silo_of_the_cluster_dies(string fault)
    {
        var plan = FaultPlan.Find(fault);
        await FaultRun.AtAsync(garnet, plan, plan.Least);
    }
}
