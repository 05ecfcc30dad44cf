using System.Net;
using System.Net.Http.Json;
using Monitoring.Simulator;
using Monitoring.Simulator.Model;

namespace Monitoring.Tests.Scenarios;

public sealed class FeedFaultTests
{
    [TestCase("""{"fault":"drop","type":"ws"}""", HttpStatusCode.OK)]
    [TestCase("""{"fault":"truncated","type":"ws","count":2}""", HttpStatusCode.OK)]
    [TestCase("""{"fault":"slow","type":"ws","seconds":2}""", HttpStatusCode.OK)]
    [TestCase("""{"fault":"no_data","type":"ws"}""", HttpStatusCode.OK)]
    [TestCase("""{"fault":"no_components","type":"vaultDetails"}""", HttpStatusCode.OK)]
    [TestCase("""{"fault":"no_components"}""", HttpStatusCode.BadRequest)]
    [TestCase("""{"fault":"drop"}""", HttpStatusCode.BadRequest)]
    [TestCase("""{"fault":"silent","type":"vaultDetails"}""", HttpStatusCode.BadRequest)]
    [TestCase("""{"fault":"http500","type":"ws"}""", HttpStatusCode.BadRequest)]
    public async Task Faults_of_the_websocket_are_switched_like_the_others_and_only_there(string body, HttpStatusCode expected)
    {
        await using var simulator = SimulatorApp.Build(new SimulatorOptions(ScenarioLoader.Load("calm")));
        await simulator.StartAsync();
        using var handler = new SocketsHttpHandler();
        using var http = new HttpClient(handler) { BaseAddress = new Uri(simulator.Urls.First()) };
        using var answer = await http.PostAsync("faults", new StringContent(body));
        Assert.That(answer.StatusCode, Is.EqualTo(expected), await answer.Content.ReadAsStringAsync());
        Assert.That((await http.GetFromJsonAsync<List<object>>("faults"))!, Has.Count.EqualTo(expected == HttpStatusCode.OK ? 1 : 0));
        using var plain = await http.GetAsync("ws");
        Assert.That(plain.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
        await simulator.StopAsync();
    }
}
